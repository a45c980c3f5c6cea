import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import knex from 'knex';
import { afterAll, expect, test } from 'vitest';
import { LookBudget } from '../../drivers/database/look-budget.js';
import { SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
afterAll(() => sandbox.clean());

/** A file in a folder of its own. */
function newFile(): string {
  const folder = sandbox.newFile();
  mkdirSync(folder);
  return join(folder, 'queue.sqlite');
}

test('a wait does not look at each of the changes that are made to other queues', async () => {
  const file = newFile();
  const instance = knex({ client: 'better-sqlite3', connection: { filename: file }, useNullAsDefault: true });
  const pusher = sandbox.open(file);
  await pusher.push('other', [{ id: 'first', body: '{}' }]);
  const waiter = sandbox.open({ knex: instance });
  let looks = 0;
  const acquire = instance.client.acquireConnection.bind(instance.client);
  instance.client.acquireConnection = () => {
    looks += 1;
    return acquire();
  };
  const stop = new AbortController();
  let isWoken = false;
  const waiting = waiter.waitForJob?.(['mine'], 600_000, stop.signal).then(() => {
    isWoken = true;
  });
  await pause(300);
  looks = 0;
  const fromMs = performance.now();
  let pushes = 0;
  while (performance.now() - fromMs < 1500) {
    pushes += 1;
    await pusher.push('other', [{ id: `other-${pushes}`, body: '{}' }]);
    await pause(1);
  }
  const ms = performance.now() - fromMs;
  console.log(`${looks} looks beside ${pushes} pushes to another queue in ${Math.round(ms)} ms`);
  expect(isWoken).toBe(false);
  expect(looks).toBeGreaterThan(0);
  // One each 15 ms, and those of a new wait and of a new burst.
  expect(looks).toBeLessThanOrEqual(ms / 15 + 16);
  await pusher.push('mine', [{ id: 'mine', body: '{}' }]);
  await waiting;
  await waiter.close();
  await instance.destroy();
});

test('looks are free after a quiet time, and come each so many ms in the long run', () => {
  const budget = new LookBudget(15, 0);
  expect(Array.from({ length: 8 }, () => budget.take(0))).toEqual(Array(8).fill(0));
  let nowMs = 0;
  for (let look = 1; look <= 100; look += 1) {
    nowMs += budget.take(nowMs);
    expect(nowMs).toBeCloseTo(look * 15);
  }
  nowMs += 1000;
  expect(Array.from({ length: 8 }, () => budget.take(nowMs))).toEqual(Array(8).fill(0));
  expect(budget.take(nowMs)).toBe(15);
});

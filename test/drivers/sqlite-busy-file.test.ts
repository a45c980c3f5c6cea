import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import knex from 'knex';
import { afterAll, expect, test } from 'vitest';
import { SqlitePace } from '../../drivers/database/dialects/sqlite-pace.js';
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
  // One each 15 ms, those at the beginning of the burst aside.
  expect(looks).toBeLessThanOrEqual(ms / 15 + 8);
  await pusher.push('mine', [{ id: 'mine', body: '{}' }]);
  await waiting;
  await waiter.close();
  await instance.destroy();
});

/** When looks come, in ms, at a file that changes at these times. */
function looksAt(changes: readonly number[], untilMs: number): number[] {
  const pace = new SqlitePace();
  const looks = [0];
  for (let nowMs = 1; nowMs <= untilMs; nowMs += 1) {
    const isHeard = changes.includes(nowMs);
    if (isHeard) pace.heard(nowMs);
    const heardMs = Math.max(0, ...changes.filter((at) => at <= nowMs));
    const sinceLook = nowMs - (looks.at(-1) ?? 0);
    const isDue = heardMs > (looks.at(-1) ?? 0) - 1 || sinceLook >= pace.lookAgainMs(nowMs - heardMs);
    if (isDue && sinceLook >= pace.shortestGapMs(nowMs)) looks.push(nowMs);
  }
  return looks;
}

test('a change after a quiet time is looked at when it is heard, and shortly after', () => {
  const looks = looksAt([1000], 1100).filter((at) => at >= 1000);
  expect(looks.slice(0, 2)).toEqual([1000, 1001]);
});

test('changes without end are looked at each 15 ms', () => {
  const looks = looksAt(
    Array.from({ length: 1000 }, (_, index) => 1000 + index),
    2000,
  ).filter((at) => at >= 1100);
  const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
  expect(new Set(gaps)).toEqual(new Set([15]));
});

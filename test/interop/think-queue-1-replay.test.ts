import { afterAll, expect, test } from 'vitest';
import { golden } from '../support/golden.js';
import { openPhp } from '../support/php.js';
import { replayRedis } from '../support/replay-redis.js';
import { type ThinkJob1, ThinkQueue1 } from '../support/think-queue-1.js';
import { dumped, type Golden, stored } from './golden-case.js';
import { beforeCase, think1Data } from './think-queue-1-states.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('think-queue-1.1.6-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const pop = async (php: ThinkQueue1) => described(await php.pop('golden'));
/** The member that the pop of an earlier case put among the reserved ones. */
const heldAfter = (name: string, php: ThinkQueue1): ThinkJob1 =>
  php.jobOf(of(name).commands.at(-1)?.at(-1) ?? '', 'golden');

const calls: Readonly<Record<string, (php: ThinkQueue1) => Promise<unknown>>> = {
  push: (php) => php.push('app\\job\\Demo', think1Data, 'golden'),
  push_default_queue: (php) => php.push('app\\job\\Demo'),
  pop,
  delete: (php) => heldAfter('pop', php).delete(),
  push_at_method: (php) => php.push('app\\job\\Demo@task1', 'scalar', 'golden'),
  pop_for_release: pop,
  release: (php) => heldAfter('pop_for_release', php).release(30),
  pop_migrates_delayed: pop,
  pop_migrates_expired_reserved: pop,
  stale_delete: (php) => heldAfter('pop_migrates_delayed', php).delete(),
  stale_release: (php) => heldAfter('pop_migrates_delayed', php).release(0),
  later: (php) => php.later(60, 'app\\job\\Demo', { a: 1 }, 'golden'),
  push_object: (php) => {
    const command =
      'O:14:"app\\job\\ObjJob":3:{s:4:"name";s:1:"n";s:9:"\0*\0secret";s:1:"s";s:17:"\0app\\job\\ObjJob\0n";i:1;}';
    const data = { commandName: 'app\\job\\ObjJob', command };
    return php.push('think\\queue\\CallQueuedHandler@call', data, 'golden');
  },
  push_null_data: (php) => php.push('app\\job\\Demo', null, 'golden'),
  pop_foreign_encoding: pop,
  release_foreign_encoding: (php) => heldAfter('pop_foreign_encoding', php).release(5),
  pop_without_attempts: pop,
  expired_without_attempts: pop,
  migrate_3: async (php) => {
    await php.pop('golden');
    return null;
  },
  pop_empty: pop,
  queue_restart: (php) => php.restart(),
};

function described(job: ThinkJob1 | null): unknown {
  if (job === null) return null;
  const { job: name } = JSON.parse(job.rawBody);
  return { 'attempts()': job.attempts(), rawBody: job.rawBody, 'getQueue()': job.queue, 'getName()': name };
}

const replay = replayRedis();
const json = openPhp();
afterAll(() => json.close());

test('every recorded case is replayed', () => {
  expect(Object.keys(calls)).toEqual(cases.map(({ name }) => name));
  expect(cases.length).toBe(21);
});

test.each(cases)('$name: the same commands, keys and answer', async (one) => {
  await replay.server.client.flushall();
  await stored(replay.server.client, beforeCase(one.name));
  const ids = one.commands.flatMap((command) => /"id":"(\w+)"/.exec(command.at(-1) ?? '')?.[1] ?? []);
  const settings = { now: () => one.unix_before, newId: () => ids.shift() ?? 'none' };
  const php = new ThinkQueue1(replay.connection, json, settings);
  const call = calls[one.name] as (php: ThinkQueue1) => Promise<unknown>;

  const work = () => call(php).catch((error: Error) => ({ thrown: error.message }));
  const { result, commands } = await replay.monitor.during(work);

  expect(commands).toEqual(one.commands);
  expect(await dumped(replay.server.client)).toEqual(one.keys_after);
  if (one.exception !== undefined) {
    expect(`think\\exception\\ErrorException: ${(result as { thrown: string }).thrown}`).toBe(one.exception);
  } else if (typeof one.result === 'object' && one.result !== null) {
    expect(result).toMatchObject(one.result);
  } else if (one.name !== 'queue_restart') {
    expect(result ?? null).toBe(one.result);
  }
});

import { expect, test } from 'vitest';
import { golden } from '../support/golden.js';
import { LaravelQueue } from '../support/laravel-queue.js';
import { replayRedis } from '../support/replay-redis.js';
import { dumped, type Golden, stored } from './golden-case.js';
import { beforeLaravelCase, laravelPushes, payloadIn } from './laravel-states.js';

const { cases } = golden<{ readonly cases: readonly Golden[] }>('laravel-12-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

const pop = async (laravel: LaravelQueue) => {
  const job = await laravel.pop();
  return job && { jobId: job.jobId, 'attempts()': job.attempts(), raw: job.raw, reserved: job.reserved };
};
const heldAfter = (name: string, laravel: LaravelQueue) => laravel.jobOf('', payloadIn(of(name)));

const calls: Readonly<Record<string, (laravel: LaravelQueue) => Promise<unknown>>> = {
  push_string: (laravel) => laravel.push('App\\Jobs\\X@handle', laravelPushes.data),
  pop,
  release: (laravel) => heldAfter('pop', laravel).release(30),
  push_object: (laravel) => laravel.pushObject(laravelPushes.plain),
  pop2: pop,
  delete: (laravel) => heldAfter('pop2', laravel).delete(),
  push_object_options: (laravel) => laravel.pushObject(laravelPushes.withOptions),
  later: (laravel) => laravel.later(60, 'App\\Jobs\\X@handle', 'd'),
  pop_migrates: pop,
};

const replay = replayRedis();

test('every recorded case is replayed', () => {
  expect(Object.keys(calls)).toEqual(cases.map(({ name }) => name));
  expect(cases.length).toBe(9);
});

/** Names in capitals; a script is not compared by its text; what cjson wrote, whose order is its own, by its value. */
function comparable([name = '', ...args]: readonly string[]): unknown[] {
  const rest = name.toUpperCase() === 'EVAL' ? ['(lua)', ...args.slice(1)] : args;
  return [name.toUpperCase(), ...rest.map((arg) => (arg.startsWith('{"') ? JSON.parse(arg) : arg))];
}

test.each(cases)('$name: the same commands, keys and answer', async (one) => {
  await replay.server.client.flushall();
  await stored(replay.server.client, beforeLaravelCase(one.name));
  const { id, uuid } = JSON.parse(payloadIn(one));
  const laravel = new LaravelQueue(replay.connection, {
    queue: 'golden',
    now: () => one.unix_before,
    newId: () => ({ id, uuid }),
  });
  const call = calls[one.name] as (laravel: LaravelQueue) => Promise<unknown>;

  const { result, commands } = await replay.monitor.during(() => call(laravel));

  expect(commands.map(comparable)).toEqual(one.commands.map(comparable));
  // What PHP itself wrote is the same to the byte.
  if (!one.name.startsWith('pop')) expect(await dumped(replay.server.client)).toEqual(one.keys_after);
  if (typeof one.result !== 'object' || one.result === null) return expect(result ?? null).toBe(one.result);
  const parsed = (value: object) =>
    Object.fromEntries(
      Object.entries(value).map(([key, text]) => [
        key,
        String(text).startsWith('{') ? JSON.parse(text) : text,
      ]),
    );
  expect(parsed(result as object)).toMatchObject(parsed(one.result));
});

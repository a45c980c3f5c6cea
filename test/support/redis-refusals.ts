import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Connector, NewJob, QueueError } from '../../src/index.js';
import type { RedisServer } from './redis-server.js';

/** What a call is refused with. */
export async function errorOf(promise: Promise<unknown>): Promise<QueueError> {
  return promise.then(
    () => expect.unreachable('it did not reject'),
    (error: QueueError) => error,
  );
}

/** A job with an id that a caller chose. */
export function job(id: string): NewJob {
  return { id, body: `{"job":"mail","data":"x","id":"${id}","attempts":0}`, unique: true };
}

/** A refusal after which the same call may be made again: nothing was done. */
export function away(code = 'E_STORE_UNAVAILABLE') {
  return { code, transient: true, ambiguous: false };
}

/** Makes a call until it is not refused any more; each refusal must be one that passes. */
export async function afterwards<T>(call: () => Promise<T>, refused = away()): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject(refused);
      await pause(20);
    }
  }
}

/**
 * Repeats a call that may be repeated, as a worker does; each refusal must be one that passes.
 *
 * @param refusals gets all of them.
 */
export async function insist<T>(call: () => Promise<T>, refusals: QueueError[] = []): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
      refusals.push(error as QueueError);
      await pause(20);
    }
  }
}

/** The same connector pushes, and all that was accepted before is there, in its order and once. */
export async function goesOn(connector: Connector, accepted: readonly string[]): Promise<void> {
  expect(await afterwards(() => connector.push('q', [job('after')]))).toEqual(['stored']);
  const jobs = await connector.reserve(['q'], 10_000, 60_000);
  expect(jobs.map(({ id }) => id)).toEqual([...accepted, 'after']);
  const held = await connector.delete(jobs.map(({ lease }) => lease));
  expect(held.every(Boolean)).toBe(true);
  expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
}

/** How many clients block in a command. */
export async function blockedIn({ client }: RedisServer, command: string): Promise<number> {
  const list = String(await client.client('LIST'));
  return list.split('\n').filter((line) => line.includes(` cmd=${command} `) && / flags=\w*b/.test(line))
    .length;
}

/** Looks until it is so. */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await pause(10);
}

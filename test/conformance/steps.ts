import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { Connector, EndedJob, FailedJob, FailedJobStore, NewJob, ReservedJob } from '../../src/index.js';
import type { ConformanceHarness } from './harness.js';

/** The lease that cases take unless they are about its length. */
export const leaseMs = 60_000;

/** Well past the end of such a lease. */
export const pastLeaseMs = leaseMs + 15_000;

/** The verbs and stores that some connectors lack; for cases that name in `needs` what they use. */
export type FullConnector = Required<Connector> & { readonly failedJobs: Required<FailedJobStore> };

/** The connector with the capabilities that a case needs, which `runCase` has checked. */
export function offered(connector: Connector): FullConnector {
  return connector as FullConnector;
}

/** Fails the case unless both are deeply equal; the error begins with the rule. */
export function holds(rule: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const show = (value: unknown): string => inspect(value, { maxStringLength: 200, maxArrayLength: 20 });
  assert.fail(`${rule}: expected ${show(expected)}, got ${show(actual)}`);
}

/** A job whose body is like no other's, with an id that a caller chose. */
export function job(id: string, more: Partial<NewJob> = {}): NewJob {
  return { id, body: JSON.stringify({ job: id }), unique: true, ...more };
}

/** Jobs with the ids `<prefix>0`, `<prefix>1` and so on. */
export function jobs(count: number, prefix = 'job-', more: Partial<NewJob> = {}): NewJob[] {
  return Array.from({ length: count }, (_, index) => job(`${prefix}${index}`, more));
}

export function idsOf(list: readonly { readonly id: string }[]): string[] {
  return list.map(({ id }) => id);
}

/** Reserves up to 1,000 jobs of one queue. */
export function reserveAll(connector: Connector, queue = 'q'): Promise<ReservedJob[]> {
  return connector.reserve([queue], 1000, leaseMs);
}

/** Reserves the one job that must be due in the queue. */
export async function reserveOne(connector: Connector, queue = 'q', length = leaseMs): Promise<ReservedJob> {
  const [reserved] = await connector.reserve([queue], 1, length);
  assert.ok(reserved, `reserve hands out a due job: a job of queue ${queue} is due, and none came`);
  return reserved;
}

/** Pushes a job of this id and reserves it. */
export async function pushAndReserve(connector: Connector, id = 'a', queue = 'q'): Promise<ReservedJob> {
  await connector.push(queue, [job(id)]);
  return reserveOne(connector, queue);
}

/** Fails the case unless the queue has as many jobs in each state. */
export async function holdsSize(
  rule: string,
  connector: Connector,
  size: { readonly ready?: number; readonly delayed?: number; readonly reserved?: number },
  queue = 'q',
): Promise<void> {
  holds(`${rule} (size)`, await connector.size(queue), { ready: 0, delayed: 0, reserved: 0, ...size });
}

/** A failed-job record of a reserved job. */
export function failedRecord(
  { id, queue, body, attempts }: Omit<ReservedJob, 'lease'>,
  more: Partial<FailedJob> = {},
): FailedJob {
  return {
    uuid: randomUUID(),
    jobId: id,
    connection: 'conformance',
    queue,
    name: 'mail.send',
    payload: body,
    errorClass: 'TypeError',
    message: 'nobody answered',
    stack: 'TypeError: nobody answered\n    at send (mail.js:1:1)',
    causes: [],
    attempts,
    reason: 'max-tries',
    host: 'conformance.example',
    pid: 4321,
    failedAtMs: 1_750_000_000_000,
    ...more,
  };
}

/** The end of a job, at a time whose ids stand in the order of `at`. */
export function endedJob(more: Partial<EndedJob> = {}, at = 0): EndedJob {
  const finishedAtMs = more.finishedAtMs ?? 1_750_000_000_000 + at * 1000;
  return {
    entryId: `${finishedAtMs.toString(16).padStart(12, '0')}${at.toString(16).padStart(4, '0')}0123456789ab`,
    jobId: `job-${at}`,
    queue: 'q',
    name: 'mail.send',
    state: 'done',
    attempts: 1,
    createdAtMs: finishedAtMs - 3000,
    dueAtMs: finishedAtMs - 2000,
    startedAtMs: finishedAtMs - 1000,
    finishedAtMs,
    host: 'conformance.example',
    pid: 4321,
    result: '{"sent":true}',
    note: null,
    ...more,
  };
}

/** Waits for what must come at once; fails the case when the harness's patience ends first. */
export async function soon<T>(rule: string, harness: ConformanceHarness, promise: Promise<T>): Promise<T> {
  const { patienceMs = 10_000 } = harness;
  const stop = new AbortController();
  const tooLate = pause(patienceMs, undefined, { signal: stop.signal }).then(() =>
    assert.fail(`${rule}: nothing came within ${patienceMs} ms`),
  );
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    tooLate.catch(() => undefined);
    stop.abort();
  }
}

/** Reserves one job, asking again until one is due; fails the case when patience ends first. */
export async function reserveSoon(
  rule: string,
  { connector, patienceMs = 10_000 }: ConformanceHarness,
): Promise<ReservedJob> {
  const lastMs = performance.now() + patienceMs;
  for (;;) {
    const [reserved] = await connector.reserve(['q'], 1, leaseMs);
    if (reserved !== undefined) return reserved;
    assert.ok(performance.now() < lastMs, `${rule}: nothing came within ${patienceMs} ms`);
    await pause(10);
  }
}

/** Looks again and again while something goes on; waits for that to end also where a look fails. */
export async function lookWhile(working: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  let isOver = false;
  const ended = Promise.allSettled([working]).then(() => {
    isOver = true;
  });
  try {
    while (!isOver) {
      await look();
      await new Promise(setImmediate);
    }
  } finally {
    await ended;
  }
  await working;
}

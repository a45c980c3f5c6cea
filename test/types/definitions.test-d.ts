// Checked by `tsc -p tsconfig.json`, never run: a line that ought to be refused stands under @ts-expect-error.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  type Duration,
  type DurationText,
  defineJob,
  exponential,
  type JobContext,
  type JobDefinition,
  type JobEvent,
  type JobFailure,
  type Queue,
  type QueueEvent,
  type Retried,
  RetryAfterError,
  type StopReason,
  UnrecoverableError,
  type WorkerEvent,
} from '../../src/index.js';
import { type Equal, expectType } from './equal.js';

declare const ownSchema: StandardSchemaV1<string, Date>;
declare const queue: Queue;

export function durations(): Duration[] {
  const fine: DurationText[] = ['250ms', '1.5s', '30s', '5m', '2h', '7d'];
  // @ts-expect-error a unit that there is not
  const minutes: DurationText = '5 min';
  // @ts-expect-error a unit that there is not
  const weeks: DurationText = '5w';
  // @ts-expect-error a capital
  const capital: DurationText = '5S';
  // @ts-expect-error no number
  const word: DurationText = 'soon';
  // @ts-expect-error no unit: a bare number is a number
  const bare: DurationText = '5';
  // @ts-expect-error a point in time
  const date: Duration = new Date();
  return [...fine, 5, minutes, weeks, capital, word, bare, date];
}

export function definitions(): void {
  const own = defineJob({ name: 'own', input: ownSchema, handle: ({ data }) => data.getTime() });
  expectType<Equal<typeof own, JobDefinition<string, Date>>>();
  const coerced = defineJob({ name: 'z', input: z.object({ n: z.coerce.number<string>() }), handle() {} });
  expectType<Equal<typeof coerced, JobDefinition<{ n: string }, { n: number }>>>();
  const plain = defineJob<string[]>({ name: 'plain', handle() {} });
  expectType<Equal<typeof plain, JobDefinition<string[]>>>();
  const annotated = defineJob({ name: 'a', handle(_: JobContext<number>) {} });
  expectType<Equal<typeof annotated, JobDefinition<number>>>();

  // @ts-expect-error no handler
  defineJob({ name: 'x' });
  // @ts-expect-error no name
  defineJob({ handle() {} });
  // @ts-expect-error a typing error
  defineJob({ name: 'x', retries: 3, handle() {} });
  // @ts-expect-error a unit that there is not
  defineJob({ name: 'x', timeout: '5 min', handle() {} });
  // @ts-expect-error a word that there is not
  defineJob({ name: 'x', ack: 'never', handle() {} });
  // @ts-expect-error the handler is given a Date
  defineJob({ name: 'x', input: ownSchema, handle(_: { data: string }) {} });
  exponential('1s', { factor: 3, max: '1h', jitter: 0.5 });
  // @ts-expect-error a unit that there is not
  exponential('1 s.');

  defineJob({ name: 'x', retryUntil: '1h', handle() {} });
  // @ts-expect-error a definition outlives any point in time
  defineJob({ name: 'x', retryUntil: new Date(), handle() {} });
  const errors: Error[] = [
    new UnrecoverableError('no use', { cause: 1 }),
    new RetryAfterError('30s', 'later', { cause: 1 }),
  ];
  // @ts-expect-error a unit that there is not
  errors.push(new RetryAfterError('30 sec'));

  class Dismiss {
    static readonly tries = 3;
    static readonly retryUntil = '1h';
    fire() {}
  }
  createQueue({ connections: { default: memory() }, jobs: [own, coerced, plain, annotated, Dismiss] });
  createQueue({ connections: { default: memory() }, jobs: { own, coerced, plain, Dismiss } });
  createQueue({ connections: { default: memory() }, jobs: 'jobs/**/*.ts' });
  createQueue({
    connections: { default: memory() },
    onFailed: (failure) => expectType<Equal<typeof failure, JobFailure>>(),
  });
  // @ts-expect-error no driver
  createQueue({ connections: { default: {} } });
  // @ts-expect-error a typing error
  createQueue({ connections: { default: memory() }, worker: { concurency: 2 } });
  // @ts-expect-error a unit that there is not
  memory({ lease: '90 sec' });
}

export async function workers(): Promise<void> {
  const reason = await queue
    .worker({ queues: ['a'], timeout: '30s', memory: 128 })
    .run(AbortSignal.timeout(1));
  expectType<Equal<typeof reason, StopReason>>();
  // @ts-expect-error a typing error
  queue.worker({ concurency: 2 });
  // @ts-expect-error a unit that there is not
  queue.worker({ sleep: '3 s.' });
}

export async function failedJobs(): Promise<void> {
  for await (const one of queue.failed.retryAll({ queue: 'a', sinceMs: 1 })) {
    expectType<Equal<typeof one, Retried>>();
  }
  // @ts-expect-error all of them
  queue.failed.retryAll({ limit: 5 });
}

export function events(): void {
  queue.events.on('job:failed', (event) => {
    expectType<Equal<typeof event.event, 'job:failed'>>();
    expectType<Equal<typeof event.error.message, string>>();
  });
  queue.events.on('job:released', (event) => expectType<Equal<typeof event.delayMs, number>>());
  queue.events.on('*', (event) => expectType<Equal<typeof event, QueueEvent>>());
  queue.events.on('job:*', (event) => expectType<Equal<typeof event, JobEvent>>());
  queue.events.on('worker:*', (event) => expectType<Equal<typeof event, WorkerEvent>>());
  const off = queue.events.on('job:done', () => {});
  expectType<Equal<ReturnType<typeof off>, void>>();
  // @ts-expect-error an event that there is not
  queue.events.on('job:finished', () => {});
  // @ts-expect-error fields of another event
  queue.events.on('job:done', (event) => event.delayMs);
}

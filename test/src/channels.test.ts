import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type PushMessage, type TracedRun } from '../../src/index.js';
import { workOff } from '../support/recorder.js';

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Messages of a channel while a test runs. */
function messagesOf(name: string): unknown[] {
  const messages: unknown[] = [];
  const listener = (message: unknown) => messages.push(message);
  subscribe(name, listener);
  ends.push(() => unsubscribe(name, listener));
  return messages;
}

function setUp(handle: () => unknown = () => {}) {
  const job = defineJob({ name: 'job', handle, tries: 1 });
  return { job, queue: createQueue({ connections: { main: memory() }, jobs: [job] }) };
}

const who = { id: 'mine', name: 'job', queue: 'default', connection: 'main', attempts: 1 };

describe('diagnostics channels', () => {
  test('have the events, each under its name', async () => {
    const { queue, job } = setUp();
    const [started, done, failed, stopped] = ['job:started', 'job:done', 'job:failed', 'worker:stopped'].map(
      (event) => messagesOf(`drover:${event}`),
    );
    const events: unknown[] = [];
    queue.events.on('job:done', (event) => events.push(event));
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(started).toMatchObject([{ event: 'job:started', ...who }]);
    expect(done).toEqual(events);
    expect(done).toMatchObject([{ event: 'job:done', ...who, durationMs: expect.any(Number) }]);
    expect(failed).toEqual([]);
    expect(stopped).toMatchObject([{ event: 'worker:stopped', reason: 'empty' }]);
  });

  test('cost nothing that nobody subscribes to: the event is not made', async () => {
    const { queue } = setUp();
    expect(channel('drover:job:done').hasSubscribers).toBe(false);
    expect(queue.events.isHeard('job:done')).toBe(false);
    messagesOf('drover:job:done');
    expect(queue.events.isHeard('job:done')).toBe(true);
    expect(queue.events.isHeard('job:failed')).toBe(false);
  });
});

describe('the tracing channels', () => {
  const told: [step: string, message: object][] = [];

  function trace(name: 'drover:push' | 'drover:run'): void {
    told.length = 0;
    const step = (kind: string) => (message: object) => void told.push([kind, message]);
    const subscribers = {
      start: step('start'),
      end: step('end'),
      asyncStart: step('asyncStart'),
      asyncEnd: step('asyncEnd'),
      error: step('error'),
    };
    const traced = tracingChannel<unknown, object>(name);
    traced.subscribe(subscribers);
    ends.push(() => traced.unsubscribe(subscribers));
  }

  test('drover:push: what is pushed, once that is known', async () => {
    const { queue, job } = setUp();
    trace('drover:push');
    await queue.push(job, null, { id: 'mine' });
    expect(told.map(([step]) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    const [, message] = told[0] as [string, PushMessage];
    expect(message.pushed).toEqual({ connection: 'main', queue: 'default', name: 'job', ids: ['mine'] });
    await expect(queue.push('job', 1n)).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
    expect(told.at(-3)?.[0]).toBe('error');
    expect(told.at(-3)?.[1]).toMatchObject({ error: { code: 'E_PAYLOAD_INVALID' } });
  });

  test('drover:run: the job whose handler runs, and the error that it throws', async () => {
    const boom = new RangeError('boom');
    const { queue, job } = setUp(() => {
      throw boom;
    });
    trace('drover:run');
    await queue.push(job, null, { id: 'mine' });
    await workOff(queue);
    expect(told.map(([step]) => step)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(told[0]?.[1] as TracedRun).toMatchObject(who);
    expect(told[2]?.[1]).toMatchObject({ error: boom });
    expect((await queue.failed.list())[0]).toMatchObject({ jobId: 'mine' });
  });
});

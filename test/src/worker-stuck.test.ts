import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobContext, silentLogger } from '../../src/index.js';
import { deferred, within } from '../support/deferred.js';
import { faulty } from '../support/faulty-driver.js';
import { namesOf, recordEvents, recordingLogger } from '../support/recorder.js';

function setUp(handle: (context: JobContext<string>) => unknown) {
  const logger = recordingLogger();
  const job = defineJob({ name: 'job', handle });
  const queue = createQueue({ connections: { default: memory() }, jobs: [job], logger });
  return { logger, job, queue, events: recordEvents(queue), stop: new AbortController() };
}

const empty = { ready: 0, delayed: 0, reserved: 0 };

describe('a handler that never ends', () => {
  test('keeps its slot, and a worker with no slot left stops as stuck', async () => {
    const { queue, job, events, logger } = setUp(() => new Promise(() => {}));
    await queue.bulk(job, ['a', 'b', 'c']);
    const run = queue.worker({ concurrency: 2, timeout: '10ms', grace: '10ms' }).run();
    expect(await within(run, 'the stop')).toBe('stuck');
    expect(namesOf(events).sort()).toEqual(['job:released', 'job:released', 'job:started', 'job:started']);
    expect(await queue.size()).toEqual({ ...empty, ready: 1, delayed: 2 });
    expect(
      logger.lines.filter((line) => line.message.includes('goes on in spite of its abort')),
    ).toHaveLength(2);
  });

  test('leaves the other slots at work', async () => {
    const seen: string[] = [];
    const { queue, job, stop } = setUp(({ data }) => {
      if (data === 'last') stop.abort();
      return data === 'stuck' ? new Promise(() => {}) : seen.push(data);
    });
    await queue.push(job, 'stuck', { timeout: '5ms', tries: 1 });
    const options = { concurrency: 2, grace: '5ms', shutdownTimeout: '50ms' } as const;
    const run = queue.worker(options).run(stop.signal);
    await within(new Promise((resolve) => queue.events.on('job:failed', resolve)), 'the timeout');
    await queue.bulk(job, ['a', 'b', 'last']);
    expect(await within(run, 'the stop')).toBe('signal');
    expect(seen).toEqual(['a', 'b', 'last']);
  });

  test('leaves the other slots at work also where it ran alone', async () => {
    const seen: string[] = [];
    const driver = faulty(memory());
    const stop = new AbortController();
    const handle = ({ data }: JobContext<string>) => {
      if (data === 'last') stop.abort();
      return data === 'stuck' ? new Promise(() => {}) : seen.push(data);
    };
    const job = defineJob({ name: 'job', handle });
    const queue = createQueue({ connections: { default: driver }, jobs: [job], logger: silentLogger });
    // Whoever had it died before it came to start it: its last run is one without others beside it.
    await queue.push(job, 'stuck', { timeout: '5ms', tries: 1 });
    await driver.store.reserve(['default'], 1, 1);
    const run = queue.worker({ concurrency: 2, grace: '5ms', shutdownTimeout: '50ms' }).run(stop.signal);
    await within(new Promise((resolve) => queue.events.on('job:failed', resolve)), 'the timeout');
    await queue.bulk(job, ['a', 'b', 'last']);
    expect(await within(run, 'the stop')).toBe('signal');
    expect(seen).toEqual(['a', 'b', 'last']);
  });

  test('gives its slot back if it ends after all', async () => {
    const late = deferred();
    const both = deferred();
    let running = 0;
    const { queue, job, stop } = setUp(async ({ data }) => {
      if (data === 'late') return late.promise;
      running += 1;
      if (running === 2) both.resolve();
      await both.promise;
    });
    await queue.push(job, 'late', { timeout: '5ms', tries: 1 });
    const run = queue.worker({ concurrency: 2, grace: '5ms' }).run(stop.signal);
    await within(new Promise((resolve) => queue.events.on('job:failed', resolve)), 'the timeout');
    late.resolve();
    await queue.bulk(job, ['a', 'b']);
    await within(both.promise, 'two jobs at a time');
    stop.abort();
    expect(await run).toBe('signal');
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob, type Queue } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { type LogLine, recordEvents, recordingLogger } from '../support/recorder.js';
import { until } from '../support/redis-refusals.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { unhandledDuring } from '../support/unhandled.js';

const leaseMs = 20_000;
let server: RedisServer;
const closing: Queue[] = [];
beforeEach(async () => {
  server = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((queue) => queue.close()));
  await server?.stop();
});

function open() {
  const job = defineJob({ name: 'job', tries: 0, handle: () => pause(1) });
  const logger = recordingLogger();
  const driver = redis({ url: server.url, queue: 'q', lease: `${leaseMs}ms`, commandTimeout: 0.5 });
  const worker = { timeout: '5s', concurrency: 4 } as const;
  const queue = createQueue({ connections: { default: driver }, jobs: [job], worker, logger });
  closing.push(queue);
  return { queue, job, logger };
}

/** Pushes jobs one after the other until told to stop; answers the ids of those that were accepted. */
async function produce(signal: AbortSignal): Promise<string[]> {
  const { queue, job } = open();
  const accepted: string[] = [];
  for (let count = 0; !signal.aborted; count++) {
    const pushing = queue.push(job, null, { id: `j${count}` });
    await pushing.then(
      (id) => accepted.push(id),
      () => pause(20),
    );
  }
  return accepted;
}

/** No loop of errors: the worker waits between its looks at the store, and so does each settlement between its tries. */
function keepsItsWaits(lines: readonly LogLine[], duringMs: number): void {
  const waitsOf = (isMeant: (line: LogLine) => boolean): number[] =>
    lines
      .filter((line) => 'waitMs' in line.fields && isMeant(line))
      .map(({ fields }) => Number(fields.waitMs));
  const looks = waitsOf(({ message }) => message.startsWith('the store does not answer'));
  expect(looks.length).toBeGreaterThan(0);
  expect(Math.min(...looks)).toBeGreaterThanOrEqual(80);
  expect(looks.slice(0, -1).reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(duringMs);
  expect(Math.min(...waitsOf(() => true))).toBeGreaterThanOrEqual(40);
  expect(lines.length).toBeLessThan(60);
}

async function worksThrough(outage: () => Promise<void>): Promise<void> {
  const { queue, logger } = open();
  const events = recordEvents(queue);
  const done = () => events.filter(({ event }) => event === 'job:done').map(({ id }) => id);
  const [stopPushing, stopWorking] = [new AbortController(), new AbortController()];
  const running = queue.worker().run(stopWorking.signal);
  const pushing = produce(stopPushing.signal);
  await within(
    until(() => done().length > 50),
    'the first jobs',
  );
  logger.lines.length = 0;
  const fromMs = performance.now();
  await outage();
  const before = done().length;
  await within(
    until(() => done().length > before + 50),
    'the work after the outage',
    10_000,
  );
  keepsItsWaits(logger.lines, performance.now() - fromMs);
  stopPushing.abort();
  const accepted = await pushing;
  stopWorking.abort();
  expect(await running).toBe('signal');
  // What was reserved and never arrived comes again when its lease lapses.
  await server.advance(leaseMs);
  await queue.worker({ stopWhenEmpty: true }).run();
  const finished = done();
  expect(accepted.filter((id) => !finished.includes(id))).toEqual([]);
  expect(finished.filter((id, index) => finished.indexOf(id) !== index)).toEqual([]);
  const others = new Set(events.map(({ event }) => event));
  others.delete('job:given-back'); // held by the worker as it stopped
  expect([...others].sort()).toEqual(['job:done', 'job:started']);
  expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
}

test('a worker goes on by itself when its server was killed and started again', async () => {
  const outage = async (): Promise<void> => {
    await server.crash();
    await pause(1000); // the fault itself
    await server.restart();
  };
  expect(await unhandledDuring(() => worksThrough(outage))).toEqual([]);
});

test('a worker goes on by itself when its server was stopped for longer than commands may take', async () => {
  const outage = async (): Promise<void> => {
    server.process.kill('SIGSTOP');
    await pause(3000); // the fault itself
    server.process.kill('SIGCONT');
  };
  expect(await unhandledDuring(() => worksThrough(outage))).toEqual([]);
});

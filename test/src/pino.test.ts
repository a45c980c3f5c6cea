import { Writable } from 'node:stream';
import { type Logger as PinoLogger, pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobContext, type JobEvent, type Logger } from '../../src/index.js';
import { faulty, storeCorrupt } from '../support/faulty-driver.js';
import { workOff } from '../support/recorder.js';

/** pino, and the lines that it wrote. */
function pinoLines(): { logger: PinoLogger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { logger: pino({ level: 'debug' }, sink), lines };
}

function setUp(handle: (context: JobContext<unknown>) => unknown) {
  const { logger, lines } = pinoLines();
  const driver = faulty(memory());
  const job = defineJob({ name: 'job', handle, tries: 1 });
  // As it is: a logger of pino is one of drover, to tsc as well.
  const queue = createQueue({ connections: { main: driver }, jobs: [job], logger: logger satisfies Logger });
  const events: JobEvent[] = [];
  queue.events.on('job:*', (event) => events.push(event));
  return { queue, job, lines, driver, events };
}

describe('pino as the logger', () => {
  test("handlers write to it, with their job's fields, named as in events", async () => {
    const { queue, job, lines, events } = setUp(({ log }) => log.info({ rows: 3 }, 'imported'));
    await queue.push(job);
    await workOff(queue);
    const { event, waitMs, ...fields } = events[0] as Extract<JobEvent, { event: 'job:started' }>;
    expect([event, waitMs]).toEqual(['job:started', expect.any(Number)]);
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        pid: process.pid,
        hostname: expect.any(String),
        ...fields,
        rows: 3,
        msg: 'imported',
      },
    ]);
  });

  test('what drover says of a job has the fields of the event that tells the same', async () => {
    const { queue, job, lines, driver, events } = setUp(() => {});
    driver.faults.refuse('delete', storeCorrupt());
    await queue.push(job);
    await workOff(queue);
    const unsettled = events.find(({ event }) => event === 'job:unsettled') as JobEvent & { error: object };
    const { id, name, queue: lane, connection, attempts } = unsettled;
    expect(lines.find(({ msg }) => String(msg).startsWith('could not delete'))).toMatchObject({
      level: 50,
      ...{ id, name, queue: lane, connection, attempts },
      err: {
        type: 'QueueError',
        code: 'E_STORE_CORRUPT',
        message: 'the store is corrupt',
        stack: expect.any(String),
      },
    });
  });

  test('is given no more of an error than its text, without the credentials in it', async () => {
    const cause = new Error('refused redis://:s3cr3t@host');
    const { queue, job, lines } = setUp(({ log }) => {
      const error = new TypeError('no mysql://root:s3cr3t@host', { cause });
      log.warn({ err: Object.assign(error, { options: { password: 's3cr3t' }, code: 'E_NO' }) }, 'tried');
      log.warn({ err: { password: 's3cr3t', toJSON: () => 's3cr3t' } }, 'no error at all');
      (log.warn as (text: unknown) => void)('a sentence alone');
    });
    await queue.push(job);
    await workOff(queue);
    expect(JSON.stringify(lines)).not.toContain('s3cr3t');
    expect(lines).toMatchObject([
      { err: { type: 'TypeError', message: 'no mysql://***@host: refused redis://***@host', code: 'E_NO' } },
      { msg: 'no error at all' },
      expect.anything(),
    ]);
    expect(lines[0]).toMatchObject({ err: { stack: expect.stringContaining('pino.test.ts') } });
  });

  test('says why the store is not reached', async () => {
    const { queue, driver, lines } = setUp(() => {});
    driver.faults.refuse('reserve');
    await workOff(queue);
    expect(lines[0]).toMatchObject({
      level: 40,
      err: { code: 'E_STORE_UNAVAILABLE' },
      msg: expect.any(String),
    });
  });
});

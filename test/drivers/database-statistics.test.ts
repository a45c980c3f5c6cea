import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, type Driver, defineJob } from '../../src/index.js';
import { recordingLogger, workOff } from '../support/recorder.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

const ok = defineJob({ name: 'ok', handle: () => {} });

function open(driver: Driver) {
  const logger = recordingLogger();
  const queue = createQueue({ connections: { main: driver }, jobs: [ok], logger });
  return { queue, logger };
}

describe('a schema from before statistics', () => {
  const sandbox = new SqliteSandbox();
  const olderFile = () => sandbox.olderFile('queue_statistics', '0005_queue_statistics');
  afterAll(() => sandbox.clean());

  test('works jobs all the same, and says once what to run', async () => {
    const file = await olderFile();
    const { queue, logger } = open(database({ url: `sqlite://${file}`, autoMigrate: false }));
    for (let round = 0; round < 3; round++) {
      await queue.push(ok);
      await workOff(queue);
    }
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    const told = logger.lines.filter(({ level }) => level === 'warn' || level === 'error');
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^no statistics from this process: Run: drover queue:migrate/),
    ]);
    await expect(queue.stats()).rejects.toMatchObject({
      code: 'E_STORE_SCHEMA',
      fix: expect.stringContaining('drover queue:migrate'),
    });
    expect(await queue.migrate()).toEqual(['0005_queue_statistics']);
    await queue.close();
    const next = open(database({ url: `sqlite://${file}`, autoMigrate: false }));
    await next.queue.push(ok);
    expect((await next.queue.stats()).total).toMatchObject({ pushed: 1 });
    await next.queue.close();
  });

  test('is brought up to date where the driver may do so', async () => {
    const { queue } = open(database(`sqlite://${await olderFile()}`));
    await queue.push(ok);
    expect((await queue.stats()).total).toMatchObject({ pushed: 1 });
    await queue.close();
  });
});

describe('postgres', () => {
  const sandbox = new ServerSandbox('postgres');
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('statements about jobs and statements about statistics are never in one transaction', async () => {
    const { queue } = open(database({ url: sandbox.url, prefix: 'apart_' }));
    await queue.push(ok);
    // Whoever holds the whole table of statistics holds up no job.
    const other = await sandbox.plain();
    await queue.stats();
    await other.query('BEGIN');
    await other.query('LOCK TABLE apart_queue_statistics IN ACCESS EXCLUSIVE MODE');
    for (let index = 0; index < 50; index++) await queue.push(ok);
    const worker = queue.worker({ once: true });
    const ended = worker.run(); // stops with the write of its statistics, which waits for us
    await expect.poll(() => queue.size()).toMatchObject({ ready: 50, reserved: 0 });
    await other.query('COMMIT');
    await ended;
    // And the other way: a worker's statistics are written while all jobs are locked.
    await queue.push(ok);
    await other.query('BEGIN');
    await other.query('LOCK TABLE apart_jobs IN ACCESS EXCLUSIVE MODE');
    await expect.poll(async () => (await queue.stats()).total).toMatchObject({ pushed: 52, done: 1 });
    await other.query('COMMIT');
    await queue.close();
  });
});

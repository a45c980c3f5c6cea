import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, type Driver, defineJob } from '../../src/index.js';
import { recordingLogger, workOff } from '../support/recorder.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

const ok = defineJob({ name: 'ok', handle: () => 'fine' });

function open(driver: Driver) {
  const logger = recordingLogger();
  const queue = createQueue({ connections: { main: driver }, jobs: [ok], logger });
  return { queue, logger };
}

describe('a schema from before the history', () => {
  const sandbox = new SqliteSandbox();
  const olderFile = () => sandbox.olderFile('queue_history', '0006_queue_history');
  afterAll(() => sandbox.clean());

  test('does not matter where the history is off', async () => {
    const { queue, logger } = open(database({ url: `sqlite://${await olderFile()}`, autoMigrate: false }));
    const id = await queue.push(ok);
    expect(await queue.find(id)).toMatchObject([{ state: 'ready' }]);
    await workOff(queue);
    expect(await queue.list()).toEqual([]);
    await queue.close();
    expect(logger.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  test('works jobs all the same where it is on, and says once what to run', async () => {
    const url = `sqlite://${await olderFile()}`;
    const history = { keep: 100 };
    const { queue, logger } = open(database({ url, autoMigrate: false, history }));
    for (let round = 0; round < 3; round++) {
      await queue.push(ok);
      await workOff(queue);
    }
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    const told = logger.lines.filter(({ level }) => level === 'warn' || level === 'error');
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^no history from this process: Run: drover queue:migrate/),
    ]);
    await expect(queue.list({ state: 'done' })).rejects.toMatchObject({ code: 'E_STORE_SCHEMA' });
    expect(await queue.migrate()).toEqual(['0006_queue_history']);
    await queue.close();
    const next = open(database({ url, autoMigrate: false, history }));
    await next.queue.push(ok);
    await workOff(next.queue);
    expect(await next.queue.list({ state: 'done' })).toMatchObject([{ result: '"fine"' }]);
    await next.queue.close();
  });
});

describe.each(['mariadb', 'postgres'] as const)('%s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test('keeps the ends, under the name that the options give, and prunes from two processes at once', async () => {
    const options = { url: sandbox.url, prefix: 'kept_', historyTable: 'past', history: { keep: 10 } };
    const queues = [open(database(options)).queue, open(database(options)).queue];
    for (let round = 0; round < 4; round++) {
      await queues[0]?.bulk(ok, Array.from({ length: 20 }));
      await Promise.all(queues.map((queue) => workOff(queue, { concurrency: 5 })));
    }
    await Promise.all(queues.map((queue) => queue.close()));
    const { queue } = open(database(options));
    expect(await queue.list({ state: 'done', limit: 1000 })).toHaveLength(10);
    await queue.close();
  });

  test('a history that is locked holds up no job', async () => {
    const { queue } = open(database({ url: sandbox.url, prefix: 'apart_', history: { keep: 100 } }));
    await queue.push(ok);
    await workOff(queue);
    const other = await sandbox.plain();
    const lock =
      kind === 'postgres'
        ? ['BEGIN', 'LOCK TABLE apart_queue_history IN ACCESS EXCLUSIVE MODE', 'COMMIT']
        : ['SET autocommit = 0', 'SELECT * FROM apart_queue_history FOR UPDATE', 'COMMIT'];
    await other.query(lock[0] as string);
    await other.query(lock[1] as string);
    await queue.bulk(ok, Array.from({ length: 20 }));
    const ended = workOff(queue); // stops with the write of its history, which waits for us
    await expect.poll(() => queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    await other.query(lock[2] as string);
    await ended;
    expect(await queue.list({ state: 'done' })).toHaveLength(21);
    await queue.close();
  });
});

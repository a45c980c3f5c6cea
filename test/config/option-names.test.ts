import { expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { memory } from '../../drivers/memory/index.js';
import { redis } from '../../drivers/redis/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { errorOf } from './project.js';

const url = 'sqlite::memory:';

const queue = () => createQueue({ connections: { main: memory() } });

test.each<[string, () => unknown, string, string]>([
  [
    'memory',
    () => memory({ retryAfter: 5, lese: '1m' } as object),
    'memory: there is no option retryAfter, lese',
    'Did you mean retry_after (lease, in seconds), lease? The options are clock, queue, lease, retry_after, history.',
  ],
  ['sync', () => sync({ lease: '1m' } as object), 'sync: there is no option lease', 'The options are queue.'],
  [
    'database',
    () => database({ url, tabel: 'jobs' } as object),
    'database: there is no option tabel',
    'Did you mean table? The options are url, knex, table, failedTable, signalsTable, workersTable, statisticsTable, historyTable, prefix, schema, autoMigrate, synchronous, prepare, notify, commandTimeout, wire, timeZone, queue, lease, retry_after, history.',
  ],
  [
    'database, written with other separators',
    () => database({ url, failed_table: 'gone' } as object),
    'database: there is no option failed_table',
    'Did you mean failedTable? The options are url, knex, table, failedTable, signalsTable, workersTable, statisticsTable, historyTable, prefix, schema, autoMigrate, synchronous, prepare, notify, commandTimeout, wire, timeZone, queue, lease, retry_after, history.',
  ],
  [
    'push',
    () => queue().push('job', null, { attempts: 1 } as object),
    'push: there is no option attempts',
    'Here it is called tries.',
  ],
  [
    'push, one of several',
    () => queue().push('job', null, { jobId: 'a', dealy: 5 } as object),
    'push: there is no option jobId, dealy',
    'Did you mean id, delay? The options are queue, connection, delay, at, tries, maxExceptions, timeout, backoff, retryUntil, id.',
  ],
  [
    'push, named like what every object has',
    () => queue().push('job', null, { constructor: 5 } as object),
    'push: there is no option constructor',
    'The options are queue, connection, delay, at, tries, maxExceptions, timeout, backoff, retryUntil, id.',
  ],
  [
    'defineJob',
    () => defineJob({ name: 'job', handle: () => {}, time_out: '5s' } as Parameters<typeof defineJob>[0]),
    'defineJob: there is no option time_out',
    'Did you mean timeout? The options are name, queue, tries, maxExceptions, backoff, retryUntil, timeout, ack, input, handle, attemptFailed, failed.',
  ],
  [
    'stats',
    () => queue().stats({ form: '1h' } as object),
    'stats: there is no option form',
    'The options are since, queue, name.',
  ],
])('an unknown option of %s is refused', async (_name, make, message, fix) => {
  const error = await errorOf(Promise.resolve().then(make));
  expect(error).toMatchObject({ code: 'E_CONFIG', message, fix });
});

test.each<[string, () => unknown, string, string]>([
  [
    'redis',
    () => redis({ host: 'h', port: 1 } as object),
    'redis: there is no option host, port',
    "Write redis('redis://127.0.0.1:6379'), or redis({ ioredis: { host, port } }) for options of ioredis. The options are url, cluster, ",
  ],
  [
    'database',
    () => database({ client: 'pg', connection: {} } as object),
    'database: there is no option client, connection',
    "Write database('postgres://user:password@host/database'), or database({ knex: { client, connection } }) for options of knex. The options are url, knex, ",
  ],
])('options of the package behind %s are told where they belong', async (_, make, message, fix) => {
  const error = await errorOf(Promise.resolve().then(make));
  expect(error).toMatchObject({ code: 'E_CONFIG', message, fix: expect.stringContaining(fix) });
});

test('every known option is taken', () => {
  const clock = { now: () => 0 };
  expect(memory({ clock, queue: 'q', lease: '1m' }).settings).toEqual({ queue: 'q', leaseMs: 60_000 });
  expect(memory({ history: { keep: 5 } }).settings.history).toEqual({ count: 5 });
  expect(database({ url, history: { keep: '7d' } }).settings.history).toEqual({ ageMs: 604_800_000 });
  expect(memory({ retry_after: 5 }).settings.leaseMs).toBe(5_000);
  expect(sync({ queue: 'q' }).settings.queue).toBe('q');
});

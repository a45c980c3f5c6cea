import { expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { errorOf } from './project.js';

const url = 'sqlite::memory:';

test.each<[string, () => unknown, string, string]>([
  [
    'memory',
    () => memory({ retryAfter: 5, lese: '1m' } as object),
    'retryAfter, lese: no such option of memory()',
    'Did you mean retry_after (lease, in seconds), lease? It knows clock, queue, lease, retry_after, history.',
  ],
  ['sync', () => sync({ lease: '1m' } as object), 'lease: no such option of sync()', 'It knows queue.'],
  [
    'database',
    () => database({ url, tabel: 'jobs' } as object),
    'tabel: no such option of database()',
    'Did you mean table? It knows url, knex, table, failedTable, signalsTable, workersTable, statisticsTable, historyTable, prefix, schema, autoMigrate, synchronous, prepare, notify, commandTimeout, wire, timeZone, queue, lease, retry_after, history.',
  ],
  [
    'database, written with other separators',
    () => database({ url, failed_table: 'gone' } as object),
    'failed_table: no such option of database()',
    'Did you mean failedTable? It knows url, knex, table, failedTable, signalsTable, workersTable, statisticsTable, historyTable, prefix, schema, autoMigrate, synchronous, prepare, notify, commandTimeout, wire, timeZone, queue, lease, retry_after, history.',
  ],
])('an unknown option of %s is refused', async (_name, make, message, fix) => {
  const error = await errorOf(Promise.resolve().then(make));
  expect(error).toMatchObject({ code: 'E_CONFIG', message, fix });
});

test('every known option is taken', () => {
  const clock = { now: () => 0 };
  expect(memory({ clock, queue: 'q', lease: '1m' }).settings).toEqual({ queue: 'q', leaseMs: 60_000 });
  expect(memory({ history: { keep: 5 } }).settings.history).toEqual({ count: 5 });
  expect(database({ url, history: { keep: '7d' } }).settings.history).toEqual({ ageMs: 604_800_000 });
  expect(memory({ retry_after: 5 }).settings.leaseMs).toBe(5_000);
  expect(sync({ queue: 'q' }).settings.queue).toBe('q');
});

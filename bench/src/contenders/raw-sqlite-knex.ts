import createKnex from 'knex';
import type { Contender } from '../contender.js';
import { handleBatches, type Row } from './raw-loop.js';
import { insert, reserve, schema } from './raw-sqlite.js';

/** The limit on SQLite through `knex.raw`: two statements for `batch` jobs. Concurrency changes nothing. */
export async function open(file: string, batch: number): Promise<Contender> {
  const knex = createKnex({
    client: 'better-sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
  });
  await knex.raw('PRAGMA journal_mode = WAL');
  await knex.raw('PRAGMA synchronous = NORMAL');
  await knex.raw('PRAGMA busy_timeout = 10000');
  for (const statement of schema) await knex.raw(statement);

  const next = async (handled: readonly Row['id'][]): Promise<Row[]> => {
    if (handled.length > 0) {
      await knex.raw(`DELETE FROM jobs WHERE id IN (${handled.map(() => '?').join()})`, [...handled]);
    }
    return knex.raw(reserve, [Date.now() + 90_000, Date.now(), batch]);
  };
  return {
    push: (data) => knex.raw(insert, [Date.now(), JSON.stringify(data)]),
    pushMany: (list, delayMs = 0) => {
      const values = list.map(() => "('bench', ?, ?)").join();
      const bindings = list.flatMap((data) => [Date.now() + delayMs, JSON.stringify(data)]);
      return knex.raw(`INSERT INTO jobs (queue, available_at, payload) VALUES ${values}`, bindings);
    },
    work: (_, handle) => handleBatches(next, handle),
    close: () => knex.destroy(),
  };
}

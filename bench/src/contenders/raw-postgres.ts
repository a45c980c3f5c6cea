import createKnex from 'knex';
import pg from 'pg';
import type { Contender } from '../contender.js';
import { handleBatches, lanesFor, type Row, sideBySide } from './raw-loop.js';

const schema = `
CREATE TABLE IF NOT EXISTS jobs
  (id bigserial PRIMARY KEY, queue text, available_at bigint, reserved_at bigint, payload text);
CREATE INDEX IF NOT EXISTS due ON jobs (queue, available_at, id) WHERE reserved_at IS NULL`;
const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
const statements = {
  insert: `INSERT INTO jobs (queue, available_at, payload) VALUES ('bench', ${now}, ?)`,
  insertMany: `INSERT INTO jobs (queue, available_at, payload)
SELECT 'bench', ${now} + ?::bigint, payload FROM unnest(?::text[]) AS payload`,
  // Deletes what was handled and reserves what comes next. In an array, as `IN (SELECT …)` may select more than once.
  next: `
WITH handled AS (DELETE FROM jobs WHERE id = ANY(?::bigint[]))
UPDATE jobs SET reserved_at = ${now} WHERE id = ANY(ARRAY(
  SELECT id FROM jobs WHERE queue = 'bench' AND reserved_at IS NULL AND available_at <= ${now}
  ORDER BY available_at, id LIMIT ? FOR UPDATE SKIP LOCKED
)) RETURNING id, payload`,
};

/** A table that has just been filled has no statistics, and the loops would read all of it for each job. */
const byIndex = '-c enable_seqscan=off -c enable_bitmapscan=off';

type Run = (name: keyof typeof statements, values: readonly unknown[]) => Promise<{ readonly rows: Row[] }>;

/**
 * The limit on PostgreSQL: one statement a round trip, for `batch` jobs.
 *
 * @param via `client`: pg with prepared statements; `knex`: `knex.raw`, which has none.
 */
export async function open(url: string, batch: number, via: 'client' | 'knex'): Promise<Contender> {
  await makeTable(url);
  const { run, close } = via === 'client' ? withPg(url) : withKnex(url);
  const next = async (handled: readonly Row['id'][]) => (await run('next', [handled, batch])).rows;
  return {
    push: (data) => run('insert', [JSON.stringify(data)]),
    pushMany: (list, delayMs = 0) => run('insertMany', [delayMs, list.map((data) => JSON.stringify(data))]),
    work: (concurrency, handle) =>
      sideBySide(lanesFor(concurrency, batch), () => handleBatches(next, handle)),
    close,
  };
}

function withPg(url: string): { run: Run; close(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: url, options: byIndex, max: 10 });
  const texts = Object.fromEntries(
    Object.entries(statements).map(([name, text]) => {
      let place = 0;
      return [name, text.replaceAll('?', () => `$${++place}`)];
    }),
  );
  return {
    run: (name, values) => pool.query({ name, text: texts[name] ?? '', values: [...values] }),
    close: () => pool.end(),
  };
}

function withKnex(url: string): { run: Run; close(): Promise<void> } {
  const knex = createKnex({
    client: 'pg',
    connection: { connectionString: url, options: byIndex },
    pool: { min: 0, max: 10 },
  });
  return {
    run: async (name, values) => knex.raw(statements[name], values as never),
    close: () => knex.destroy(),
  };
}

async function makeTable(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  // Two processes that make the same table at once fail.
  await client.query('SELECT pg_advisory_lock(1)');
  await client.query(schema);
  await client.end();
}

import createKnex from 'knex';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import type { Contender, Handle, JobData } from '../contender.js';
import { handleBatches, lanesFor, type Row, sideBySide } from './raw-loop.js';

const schema = `
CREATE TABLE IF NOT EXISTS jobs (
  id bigint AUTO_INCREMENT PRIMARY KEY, queue varchar(50), reserved_at bigint, available_at bigint, payload text,
  KEY due (queue, reserved_at, available_at, id)
)`;
const now = 'ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)';
const insert = `INSERT INTO jobs (queue, available_at, payload) VALUES ('bench', ${now}, ?)`;
// By available_at first: by id the scan walks and locks the delayed jobs that are in the way.
const select = `SELECT id, payload FROM jobs
WHERE queue = 'bench' AND reserved_at IS NULL AND available_at <= ${now}
ORDER BY available_at, id LIMIT ? FOR UPDATE SKIP LOCKED`;

/** Runs a statement on one connection. The same statements come again and again where they are `fixed`. */
type Run = (sql: string, values: readonly unknown[], isFixed: boolean) => Promise<Row[]>;

/** A client: statements on any connection, and lanes with a connection each. */
interface Client {
  readonly run: Run;
  lane(): Promise<Run>;
  close(): Promise<void>;
}

/**
 * The limit on MySQL and MariaDB: one short transaction for `batch` jobs.
 *
 * @param via `client`: mysql2, with prepared statements where they stay the same; `knex`: `knex.raw`.
 */
export async function open(url: string, batch: number, via: 'client' | 'knex'): Promise<Contender> {
  const { run, lane, close } = via === 'client' ? withMysql(url) : withKnex(url);
  await run(schema, [], false);

  const work = async (handle: Handle): Promise<never> => {
    const runHere = await lane();
    await runHere('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', [], false);
    return handleBatches((handled) => nextBatch(runHere, handled, batch), handle);
  };
  return {
    push: (data) => run(insert, [JSON.stringify(data)], true),
    pushMany: (list, delayMs = 0) => run(...insertMany(list, delayMs)),
    work: (concurrency, handle) => sideBySide(lanesFor(concurrency, batch), () => work(handle)),
    close,
  };
}

/** Deletes what was handled, and reserves what comes next. */
async function nextBatch(run: Run, handled: readonly Row['id'][], batch: number): Promise<Row[]> {
  await run('BEGIN', [], false);
  if (handled.length > 0) await run(...onJobs('DELETE FROM jobs', handled));
  const rows = await run(select, [batch], true);
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await run(...onJobs(`UPDATE jobs SET reserved_at = ${now}`, ids));
  await run('COMMIT', [], false);
  return rows;
}

function onJobs(verb: string, ids: readonly Row['id'][]): Parameters<Run> {
  return [`${verb} WHERE id IN (${ids.map(() => '?').join()})`, ids, ids.length === 1];
}

function insertMany(list: readonly JobData[], delayMs: number): Parameters<Run> {
  const one = `('bench', ${now} + ${delayMs}, ?)`;
  const sql = `INSERT INTO jobs (queue, available_at, payload) VALUES ${list.map(() => one).join()}`;
  return [sql, list.map((data) => JSON.stringify(data)), false];
}

function withMysql(url: string): Client {
  const pool = mysql.createPool({ uri: url, connectionLimit: 10 });
  const runOn =
    (on: Pick<mysql.Connection, 'execute' | 'query'>): Run =>
    async (sql, values, isFixed) => {
      const given = [...values] as string[];
      const [rows] = await (isFixed
        ? on.execute<RowDataPacket[]>(sql, given)
        : on.query<RowDataPacket[]>(sql, given));
      return rows as unknown as Row[];
    };
  return { run: runOn(pool), lane: async () => runOn(await pool.getConnection()), close: () => pool.end() };
}

function withKnex(url: string): Client {
  const knex = createKnex({ client: 'mysql2', connection: url, pool: { min: 0, max: 10 } });
  return {
    run: async (sql, values) => (await knex.raw(sql, values as never))[0],
    lane: async () => {
      const connection = await knex.client.acquireConnection();
      return async (sql, values) => (await knex.raw(sql, values as never).connection(connection))[0];
    },
    close: () => knex.destroy(),
  };
}

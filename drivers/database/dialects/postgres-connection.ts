import type { Client } from 'pg';
import { sha256 } from './sha256.js';

/** A client of the package pg, opened by us or by knex. */
export type PostgresConnection = Client;

/** Milliseconds since the epoch by the server's clock. Stable within a statement, so that indexes can be used. */
export const postgresNow = '(extract(epoch from statement_timestamp()) * 1000)::bigint';

/** Every value as the text that the server sends, whatever the application has told pg to make of it. */
const asText = { getTypeParser: () => (text: unknown) => text };

/** Whether the session's transactions are READ COMMITTED without saying so. */
const isReadCommitted = new WeakMap<PostgresConnection, boolean>();

/** Connections that keep prepared statements; the number goes up when those cannot be used any more. */
const preparing = new WeakMap<PostgresConnection, number>();

/** The rows that a statement answers, all values as text. */
export async function rowsOf<Row>(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return (await run(connection, text, values)).rows as Row[];
}

/** As {@link rowsOf}, of a statement that is not worth to be prepared: it runs once on a connection, if at all. */
export async function rowsOnce<Row>(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return (await connection.query({ text, values: [...values], types: asText })).rows as Row[];
}

/** As {@link rowsOf}, each row an array in the order of the columns: cheaper where rows are many. */
export async function arraysOf<Row extends readonly unknown[]>(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return (await run(connection, text, values, 'array')).rows as unknown as Row[];
}

/** How many rows a statement changed. */
export async function changedBy(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
): Promise<number> {
  return (await run(connection, text, values)).rowCount ?? 0;
}

/** Runs `work` in a READ COMMITTED transaction of its own, or rolls all of it back. */
export async function inPostgresTransaction<T>(
  connection: PostgresConnection,
  work: () => Promise<T>,
): Promise<T> {
  await connection.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const result = await work();
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    // Where the connection is lost the server rolls back by itself.
    await connection.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Runs one statement as READ COMMITTED: by itself where that is what the session does anyway, as it is by
 * default.
 */
export async function readCommitted<T>(connection: PostgresConnection, work: () => Promise<T>): Promise<T> {
  let isDefault = isReadCommitted.get(connection);
  if (isDefault === undefined) {
    const [row] = await rowsOf<Record<string, string>>(connection, 'SHOW default_transaction_isolation', []);
    isDefault = Object.values(row ?? {})[0] === 'read committed';
    isReadCommitted.set(connection, isDefault);
  }
  return await (isDefault ? work() : inPostgresTransaction(connection, work));
}

/**
 * The process of the server that the connection has for itself, by its id; undefined where a pooler is in between, which
 * gives its clients numbers of its own and may hand out another session for each transaction.
 */
export async function ownSession(connection: PostgresConnection): Promise<string | undefined> {
  const [row] = await rowsOf<{ pid: string }>(connection, 'SELECT pg_backend_pid() AS pid', []);
  return row?.pid === saidProcess(connection) ? row.pid : undefined;
}

/** What the server said of itself, or the pooler, when the connection was made. */
function saidProcess(connection: PostgresConnection): string {
  const { processID } = connection as unknown as { processID: number | null };
  return String(processID);
}

/** What would have a plan read, or sort, more of a table than is asked for. */
const plansToAvoid = ['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin'];

const set = (name: string, value: string): string => `set_config('${name}', '${value}', false)`;
const setFrom = (version: number, name: string, value: string): string =>
  `CASE WHEN current_setting('server_version_num')::int >= ${version} THEN ${set(name, value)} END`;

/**
 * Makes a session of our own, whose statements all have their index, go by it whatever the statistics say. A queue that
 * has just filled has none, and a reserve would sort all that is due. Compiling is off, as what it is told of the cost
 * of a plan means nothing then. A prepared statement is planned once, from PostgreSQL 12 on: the server would plan it for
 * each list anew, which takes longer than to run it.
 */
const settings = [
  ...plansToAvoid.map((name) => set(name, 'off')),
  setFrom(110_000, 'jit', 'off'),
  setFrom(120_000, 'plan_cache_mode', 'force_generic_plan'),
];

/** An expression that makes the session go by the index; its value says nothing. */
export const planByIndex = `concat(${settings.join(', ')})`;

/**
 * Has the session compress long payloads with lz4 instead of pglz, in a tenth of the time: from PostgreSQL 14 on, where the
 * server was built with it and nobody has set anything else. Each row says by itself how it was compressed.
 */
const compressQuickly = `(
  SELECT set_config(name, 'lz4', false) FROM pg_settings
  WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals)
)`;

/**
 * Sets up a connection with one statement: where it has a session for itself, plans go by the index from now on, long
 * payloads are compressed quickly, and transactions end whose client is gone without a word, which would lock their jobs for
 * hours. Answers whether it has.
 *
 * @param silenceMs how long a client says nothing in a transaction at most.
 */
export async function setUpSession(connection: PostgresConnection, silenceMs: number): Promise<boolean> {
  const endsSilent = setFrom(90_600, 'idle_in_transaction_session_timeout', String(Math.ceil(silenceMs)));
  const needed = `concat(${planByIndex}, ${endsSilent})`;
  const row = await ownAndSet(connection, `concat(${needed}, ${compressQuickly})`).catch((error) => {
    // Not everybody may read pg_settings.
    if (error.code === '42501') return ownAndSet(connection, needed);
    throw error;
  });
  const isOwn = row?.own === 't';
  // A pooler may hand out another session for the next transaction.
  if (isOwn) isReadCommitted.set(connection, row?.isolation === 'read committed');
  return isOwn;
}

async function ownAndSet(
  connection: PostgresConnection,
  settings: string,
): Promise<{ own: string; isolation: string } | undefined> {
  const sql = `
SELECT own, CASE WHEN own THEN ${settings} END, current_setting('default_transaction_isolation') AS isolation
FROM (SELECT pg_backend_pid()::text = $1 AS own) AS session`;
  const [row] = await rowsOf<{ own: string; isolation: string }>(connection, sql, [saidProcess(connection)]);
  return row;
}

/** Lets a connection of our own prepare its statements under names. */
export function prepareOn(connection: PostgresConnection): void {
  preparing.set(connection, 0);
}

async function run(
  connection: PostgresConnection,
  text: string,
  values: readonly unknown[],
  rowMode?: 'array',
) {
  const life = preparing.get(connection);
  const query = { text, values: [...values], types: asText, ...(rowMode && { rowMode }) };
  if (life === undefined) return await connection.query(query);
  try {
    return await connection.query({ ...query, name: nameOf(text, life) });
  } catch (error) {
    // Refused before it ran; the verb is repeated (see isPostgresConflict) and prepares it under a new name.
    if (isStalePlan(error)) preparing.set(connection, life + 1);
    throw error;
  }
}

/**
 * True where a prepared statement is gone (a pooler gave us another session) or fits its tables no longer (they were
 * migrated).
 */
export function isStalePlan(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === '26000' || (error.code === '0A000' && /cached plan/.test(error.message));
}

/** Names of statements, by their text, which never holds values: there are few. */
const names = new Map<string, string>();

function nameOf(text: string, life: number): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `drover_${sha256(text).toString('hex').slice(0, 24)}`;
    names.set(text, name);
  }
  return `${name}_${life}`;
}

/** Ends a connection without waiting for its server; pg's own `end` would. */
export function disconnect(connection: PostgresConnection): void {
  const { connection: wire } = connection as unknown as { connection: { stream: { destroy(): void } } };
  wire.stream.destroy();
}

import type { Connection, QueryOptions, ResultSetHeader } from 'mysql2';

/** A mysql2 connection, opened by us or by knex. */
export type MysqlConnection = Connection;

/** Values that statements are given. Whole numbers go as text: mysql2 would send them as floating point. */
type Value = string | number | null;

/** Connections that we opened, whose transactions are READ COMMITTED as they are. */
const configured = new WeakSet<MysqlConnection>();

/** Milliseconds since the epoch by the server's clock; the session's time zone plays no part. */
export const mysqlNow = `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)`;

/** Rows of a prepared statement, which mysql2 keeps for the life of the connection. */
export function rowsOf<Row>(
  connection: MysqlConnection,
  sql: string,
  values: readonly Value[],
): Promise<Row[]> {
  return execute<Row[]>(connection, sql, values);
}

/** How many rows a prepared statement found and changed. */
export async function changedBy(
  connection: MysqlConnection,
  sql: string,
  values: readonly Value[],
): Promise<number> {
  return (await execute<ResultSetHeader>(connection, sql, values)).affectedRows;
}

/** Inserts one row with a prepared statement; answers the id that the table gave it. */
export async function insertedBy(
  connection: MysqlConnection,
  sql: string,
  values: readonly Value[],
): Promise<string> {
  return String((await execute<ResultSetHeader>(connection, sql, values)).insertId);
}

/** Runs a statement that cannot be prepared (transactions, locks, tables), or that runs once: to prepare is a trip more. */
export function runText<T = unknown>(connection: MysqlConnection, sql: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const answered = answering(resolve, reject);
    if (isPlain(connection)) connection.query(sql, answered);
    else connection.query({ ...plain, sql }, answered);
  });
}

/**
 * Runs `work` in a READ COMMITTED transaction of its own, or rolls all of it back. At the server's default,
 * REPEATABLE READ, a reserve would lock the gaps between jobs as well, and pushes would wait for it.
 *
 * The rollback is ours: after a lock wait that took too long InnoDB has undone only the statement.
 */
export async function inMysqlTransaction<T>(connection: MysqlConnection, work: () => Promise<T>): Promise<T> {
  if (!configured.has(connection)) {
    await runText(connection, 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  }
  await runText(connection, 'START TRANSACTION');
  try {
    const result = await work();
    await runText(connection, 'COMMIT');
    return result;
  } catch (error) {
    // Where the connection is lost the server rolls back by itself.
    await runText(connection, 'ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Runs `work` inside a transaction that has begun, and takes back all of it and nothing else when it throws. */
export async function afterSavepoint(connection: MysqlConnection, work: () => Promise<void>): Promise<void> {
  await runText(connection, 'SAVEPOINT drover');
  try {
    await work();
  } catch (error) {
    // Gone with the whole transaction after a deadlock.
    await runText(connection, 'ROLLBACK TO SAVEPOINT drover').catch(() => undefined);
    throw error;
  }
  await runText(connection, 'RELEASE SAVEPOINT drover');
}

/**
 * Sets up a connection of our own: strict, so that nothing is cut to fit a column; with short waits, which are repeated
 * (conflicts.ts); and with an end to transactions whose client is gone without a word, which would lock their jobs for hours.
 * MySQL knows none but that of all connections, which shall be longer than a pool keeps one that nobody uses.
 *
 * @param silenceMs how long a client says nothing in a transaction at most.
 */
export async function configureMysql(connection: MysqlConnection, silenceMs: number): Promise<void> {
  const seconds = Math.ceil(silenceMs / 1000);
  const strict = `sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')`;
  // Each server reads the comments that are meant for it.
  const ends = `/*M!100300 , idle_transaction_timeout = ${seconds} */ /*!50700 , wait_timeout = ${Math.max(120, seconds)} */`;
  await runText(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await runText(connection, `SET SESSION innodb_lock_wait_timeout = 3, ${strict} ${ends}`);
  configured.add(connection);
}

/** `?` for each of `count` values, separated by commas. */
export function marks(count: number): string {
  return Array(count).fill('?').join(', ');
}

/**
 * The values, filled up with the last one to a count that is a power of two: statements over lists then have few
 * texts, each of which a connection prepares once.
 */
export function padded<T>(values: readonly T[]): T[] {
  const last = values.at(-1);
  if (last === undefined) return [];
  const count = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<T>(count - values.length).fill(last)];
}

function execute<T>(connection: MysqlConnection, sql: string, values: readonly Value[]): Promise<T> {
  const bound = values.map((value) => (typeof value === 'number' ? String(value) : value));
  return new Promise((resolve, reject) => {
    const answered = answering(resolve, reject);
    // Said only where it differs: mysql2 copies such options for each statement, into an object of a new hidden class.
    if (isPlain(connection)) connection.execute(sql, bound, answered);
    else connection.execute({ ...plain, sql, values: bound }, answered);
  });
}

/** What a client calls with the answer, for a promise. */
function answering<T>(
  resolve: (result: T) => void,
  reject: (error: Error) => void,
): (error: Error | null, result: unknown) => void {
  return (error, result) => {
    if (error === null) resolve(result as T);
    else reject(error);
  };
}

/**
 * How rows and values shall come and go. An application may have set its connection up in another way. Not `typeCast: true`,
 * for which mysql2 takes a function of the connection's all the same, and makes another parser for each statement.
 */
const plain: Omit<QueryOptions, 'sql'> = {
  rowsAsArray: false,
  nestTables: false,
  typeCast: (_field: unknown, next: () => unknown) => next(),
  namedPlaceholders: false,
};

function isPlain({ config }: MysqlConnection): boolean {
  const { rowsAsArray, nestTables, typeCast, namedPlaceholders } = config;
  const isNested = nestTables !== undefined && nestTables !== false;
  return typeCast === true && !rowsAsArray && !isNested && !namedPlaceholders;
}

/** Ends a connection without waiting for its server; mysql2's own `destroy` would leave the statement under way unanswered. */
export function disconnect(connection: MysqlConnection): void {
  const { stream } = connection as unknown as { stream: { destroy(error: Error): void } };
  stream.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
}

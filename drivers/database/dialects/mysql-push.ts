import type { NewJob, PushOutcome } from '../../../src/index.js';
import { batchesOf } from './lists.js';
import { changedBy, inMysqlTransaction, type MysqlConnection, padded, rowsOf } from './mysql-connection.js';
import type { MysqlJobStatements } from './mysql-job-statements.js';
import { dueOf, isDueAtOnce } from './reserved-job.js';

/** Rows of one INSERT, and characters of their payloads: far below the 16 MB that a server takes in one packet by default. */
const most = { items: 256, characters: 2 ** 21 };

/** Runs work in a transaction, or in the caller's. */
type Transact = (work: () => Promise<void>) => Promise<void>;

/**
 * Stores the jobs, those aside whose ids are stored already, all in one transaction.
 *
 * The INSERT is plain: with IGNORE it would swallow other errors too, and with ON DUPLICATE KEY UPDATE it would
 * not say which rows are new. It is refused whole when an id is taken; then the taken ones are looked up.
 */
export function pushJobs(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  jobs: readonly NewJob[],
  transact: Transact = (work) => inMysqlTransaction(connection, work),
): Promise<PushOutcome[]> {
  const [only, another] = jobs;
  if (only !== undefined && another === undefined) return pushOne(connection, sql, queue, only);
  return pushMany(connection, sql, queue, jobs, transact);
}

/** As many would be, in one statement and one promise. */
function pushOne(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  job: NewJob,
): Promise<PushOutcome[]> {
  return insertBatch(connection, sql, queue, [job]).then(
    () => ['stored'],
    async (error: unknown) => {
      if (!isDuplicate(error)) throw error;
      const stored = await storedIds(connection, sql, queue, [job.id]);
      // Else it was taken and settled meanwhile.
      return stored.has(job.id) ? ['already-there'] : await pushOne(connection, sql, queue, job);
    },
  );
}

async function pushMany(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  jobs: readonly NewJob[],
  transact: Transact,
): Promise<PushOutcome[]> {
  const firsts = new Map<string, NewJob>();
  for (const job of jobs) if (!firsts.has(job.id)) firsts.set(job.id, job);
  const fresh = await storeFresh(connection, sql, queue, firsts, transact);
  // An id that stands twice is stored with the first.
  return jobs.map(({ id }) => (fresh.delete(id) ? 'stored' : 'already-there'));
}

async function storeFresh(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  jobs: ReadonlyMap<string, NewJob>,
  transact: Transact,
): Promise<Set<string>> {
  let wanted = [...jobs.values()];
  // Each round ends it, or another process has stored one of the ids meanwhile.
  for (;;) {
    try {
      await insert(connection, sql, queue, wanted, transact);
      return new Set(wanted.map(({ id }) => id));
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const stored = await storedIds(connection, sql, queue, [...jobs.keys()]);
    wanted = [...jobs.values()].filter(({ id }) => !stored.has(id));
    if (wanted.length === 0) return new Set();
  }
}

async function insert(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  jobs: readonly NewJob[],
  transact: Transact,
): Promise<void> {
  const batches = batchesOf(jobs, most, ({ body }) => body.length);
  const insertAll = async (): Promise<void> => {
    for (const batch of batches) await insertBatch(connection, sql, queue, batch);
  };
  // A statement by itself is a transaction.
  await (batches.length === 1 ? insertAll() : transact(insertAll));
}

/** One statement. */
function insertBatch(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  batch: readonly NewJob[],
): Promise<number> {
  const isDue = batch.every(isDueAtOnce);
  const values: (string | number | null)[] = [];
  for (const job of batch) {
    if (isDue) values.push(job.id, queue, job.body);
    else values.push(job.id, queue, ...dueOf(job), job.body);
  }
  return changedBy(connection, (isDue ? sql.pushDue : sql.push)(batch.length), values);
}

async function storedIds(
  connection: MysqlConnection,
  sql: MysqlJobStatements,
  queue: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const stored = new Set<string>();
  for (let from = 0; from < ids.length; from += 1024) {
    const part = padded(ids.slice(from, from + 1024));
    const rows = await rowsOf<{ job_id: string }>(connection, sql.stored(part.length), [queue, ...part]);
    for (const { job_id } of rows) stored.add(job_id);
  }
  return stored;
}

/** True where the id of a job is taken; the jobs' table has no other unique key that we fill. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && error.errno === 1062;
}

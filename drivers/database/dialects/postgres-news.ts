import type { Logger } from '../../../src/index.js';
import type { BoundedAlone, Change, Hearing, Listener, News } from './dialect.js';
import { ownSession, type PostgresConnection, rowsOf } from './postgres-connection.js';
import { PostgresListener } from './postgres-listener.js';
import { sha256 } from './sha256.js';
import { deaf } from './silence.js';

/** Where a session is told of changes of a table of jobs. */
export function channelOf(table: string, session: string): string {
  return `${channelStem(table)}${session}`;
}

/** The advisory lock, shared, that stands for a session's waiting for jobs of a queue. */
export function waitingKey(table: string, queue: string): string {
  return sha256(`${table}\0${queue}`).readBigInt64BE().toString();
}

/** What channels begin with, before the id of the session's process. */
export function channelStem(table: string): string {
  return `drover_${sha256(table).toString('hex').slice(0, 24)}_`;
}

/**
 * Changes of a table of jobs, told by NOTIFY to those that wait.
 *
 * Who waits holds an advisory lock, shared, for each queue on the connection that listens: it is gone when the process
 * is. Whoever has committed a change asks afterwards whether anybody waits. A wait that was announced before is found
 * and told; one announced later looks after that, and sees the change.
 */
export class PostgresNews implements News<PostgresConnection> {
  readonly #table: string;
  readonly #logger: Logger;
  readonly #tell: string;

  /** @param table quoted, with its schema where that is told. */
  constructor(table: string, logger: Logger) {
    this.#table = table;
    this.#logger = logger;
    this.#tell = tellStatement(channelStem(table));
  }

  async listen(
    openAlone: () => Promise<BoundedAlone<PostgresConnection>>,
    hearing: Hearing,
  ): Promise<Listener> {
    const alone = await openAlone();
    try {
      const { connection } = alone;
      const session = await alone.ask(ownSession);
      if (session === undefined) {
        this.#logger.info(
          {},
          'PostgreSQL is behind a pooler, which passes no news on: idle workers look again',
        );
        await alone.end();
        return deaf;
      }
      connection.on('end', hearing.onEnd);
      connection.on('notification', ({ payload = '' }) => {
        hearing.onChange(payload.slice(1), payload.startsWith('*'));
      });
      await alone.ask(() => connection.query(`LISTEN ${channelOf(this.#table, session)}`));
      return new PostgresListener(alone, (queue) => waitingKey(this.#table, queue));
    } catch (error) {
      await alone.end();
      throw error;
    }
  }

  async tell(connection: PostgresConnection, changes: readonly Change[]): Promise<boolean> {
    const told = await rowsOf(connection, this.#tell, [
      changes.map(({ queue }) => queue),
      changes.map(({ queue }) => waitingKey(this.#table, queue)),
      changes.map(({ jobs }) => (jobs === 'later' ? null : jobs)),
    ]);
    return told.length > 0;
  }
}

/**
 * Where the lock can be had alone nobody waits, which is all that most pushes have to ask: the list of locks is read
 * only where somebody does. As many are told as there are jobs, by lot, so that one who hangs does not stand in the
 * way of all jobs.
 */
function tellStatement(channelStem: string): string {
  return `
WITH waited AS (
  SELECT told.* FROM unnest($1::text[], $2::bigint[], $3::int[]) AS told (queue, key, jobs)
  WHERE NOT pg_try_advisory_xact_lock(told.key)
)
SELECT pg_notify(
  '${channelStem}' || waiting.pid,
  CASE WHEN waited.jobs IS NULL THEN '*' ELSE '1' END || waited.queue
)
FROM waited, LATERAL (${sessionsThatWait('waited.key', 'waited.jobs')}) AS waiting`;
}

/** The sessions that are announced to wait by a lock, by lot. */
export function sessionsThatWait(key: string, most: string): string {
  return `
    SELECT lock.pid FROM pg_locks AS lock
    WHERE lock.locktype = 'advisory' AND lock.mode = 'ShareLock' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND ((lock.classid::bigint << 32) | lock.objid::bigint) = ${key}
    ORDER BY random()
    LIMIT ${most}
  `;
}

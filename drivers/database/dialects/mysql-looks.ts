import type { LookTable, Sight } from './dialect.js';
import { type LookRow, sightOf } from './look-rows.js';
import { type MysqlConnection, marks, mysqlNow, rowsOf } from './mysql-connection.js';

/** Looks at tables of MySQL or MariaDB. */
export class MysqlLooks implements LookTable<MysqlConnection> {
  readonly #jobs: string;
  readonly #signals: string;

  /** @param jobs, signals the tables, quoted. */
  constructor(jobs: string, signals: string) {
    this.#jobs = jobs;
    this.#signals = signals;
  }

  async look(
    connection: MysqlConnection,
    queues: readonly string[],
    signals: readonly string[],
  ): Promise<Sight> {
    const sql = mysqlLook(this.#jobs, this.#signals, queues.length, signals.length);
    return sightOf(await rowsOf<LookRow>(connection, sql, [...queues, ...signals]));
  }
}

/** The head of each queue by the index, and the signals by their key. A worker has one text for each count of them. */
function mysqlLook(jobs: string, signals: string, queueCount: number, signalCount: number): string {
  const head = `(SELECT available_at AS due FROM ${jobs} WHERE queue = ? ORDER BY available_at, id LIMIT 1)`;
  const noted = `SELECT NULL AS ms, name, value FROM ${signals} WHERE name IN (${marks(signalCount)})`;
  if (queueCount === 0) return noted;
  const heads = Array(queueCount).fill(head).join(' UNION ALL ');
  const about = `
SELECT CAST(MIN(due) AS SIGNED) - ${mysqlNow} AS ms, NULL AS name, NULL AS value FROM (${heads}) AS heads`;
  if (signalCount === 0) return about;
  return `${about}
UNION ALL
${noted}`;
}

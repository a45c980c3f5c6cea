import type { Clock } from '../../../src/index.js';
import type { LookTable, Sight } from './dialect.js';
import { type LookRow, sightOf } from './look-rows.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/** Looks at tables of a SQLite file, by the clock of this process. */
export class SqliteLooks implements LookTable<SqliteConnection> {
  readonly #sql: string;
  readonly #clock: Clock;

  constructor(jobs: string, signals: string, clock: Clock) {
    this.#sql = sqliteLook(jobs, signals);
    this.#clock = clock;
  }

  look(connection: SqliteConnection, queues: readonly string[], signals: readonly string[]): Sight {
    const bound = {
      queues: JSON.stringify(queues),
      signals: JSON.stringify(signals),
      now: this.#clock.now(),
    };
    return sightOf(prepared<LookRow>(connection, this.#sql).all(bound));
  }
}

/** The head of each queue by the index, and the signals by their key. */
export function sqliteLook(jobs: string, signals: string): string {
  return `
SELECT min((
  SELECT available_at FROM "${jobs}" WHERE queue = wanted.value ORDER BY available_at, id LIMIT 1
)) - :now AS ms, NULL AS name, NULL AS value
FROM json_each(:queues) AS wanted
UNION ALL
SELECT NULL, name, value FROM "${signals}" WHERE name IN (SELECT value FROM json_each(:signals))`;
}

import { historyTable, type TableNames } from '../../../migrations/index.js';
import type { Clock } from '../../../src/index.js';
import type { AppliedStep, PlannedStep, SchemaHistory } from './dialect.js';
import { noteOf } from './history-note.js';
import { inTransaction, prepared, type SqliteConnection } from './sqlite-connection.js';

// SQLite's table names differ by more than their case, or are the same table.
const create = `
CREATE TABLE IF NOT EXISTS "${historyTable}" (
  name TEXT NOT NULL,
  table_name TEXT NOT NULL COLLATE NOCASE,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (name, table_name)
)`;

const read = `
SELECT name, table_name AS "table" FROM "${historyTable}"
WHERE table_name IN (:jobs, :failedJobs, :signals, :workers, :statistics, :history)`;

const note = `
INSERT INTO "${historyTable}" (name, table_name, applied_at) VALUES (:name, :table, :now)`;

/**
 * The schema's steps in a SQLite file.
 *
 * Instead of knex's migrator: that one marks its lock in a table, and a process killed meanwhile leaves
 * the mark behind for somebody to remove by hand. Here the steps run inside one BEGIN IMMEDIATE. SQLite's
 * own lock keeps other processes out, and ends with the process that held it.
 */
export class SqliteHistory implements SchemaHistory<SqliteConnection> {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  applied(connection: SqliteConnection, tables: TableNames): AppliedStep[] {
    try {
      return prepared<AppliedStep>(connection, read).all(tables);
    } catch (error) {
      if (error instanceof Error && error.message === `no such table: ${historyTable}`) return [];
      throw error;
    }
  }

  apply(
    connection: SqliteConnection,
    tables: TableNames,
    plan: (applied: readonly AppliedStep[]) => readonly PlannedStep[],
  ): PlannedStep[] {
    return inTransaction(connection, () => {
      connection.exec(create);
      const steps = plan(this.applied(connection, tables));
      for (const { name, table, statements } of steps) {
        for (const statement of statements) connection.exec(statement);
        prepared(connection, note).run({ name, table, now: this.#clock.now() });
      }
      return [...steps];
    });
  }

  script(steps: readonly PlannedStep[]): string[] {
    const now = "CAST(strftime('%s', 'now') AS INTEGER) * 1000";
    return [
      create.trim(),
      ...steps.flatMap((step) => [...step.statements, noteOf(`"${historyTable}"`, step, now)]),
    ];
  }
}

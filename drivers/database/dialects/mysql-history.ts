import { historyTable, type TableNames } from '../../../migrations/index.js';
import { QueueError } from '../../../src/index.js';
import type { AppliedStep, PlannedStep, SchemaHistory } from './dialect.js';
import { noteOf } from './history-note.js';
import { changedBy, type MysqlConnection, mysqlNow, rowsOf, runText } from './mysql-connection.js';

const create = `
CREATE TABLE IF NOT EXISTS \`${historyTable}\` (
  name VARCHAR(120) NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (name, table_name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;

const read = `
SELECT name, table_name AS \`table\`, applied_at FROM \`${historyTable}\``;

const begin = `
INSERT INTO \`${historyTable}\` (name, table_name, applied_at) VALUES (?, ?, 0)`;

const end = `
UPDATE \`${historyTable}\` SET applied_at = ${mysqlNow} WHERE name = ? AND table_name = ?`;

const undo = `
DELETE FROM \`${historyTable}\` WHERE name = ? AND table_name = ? AND applied_at = 0`;

/** How long one process waits for another to migrate, in s. */
const lockWaitS = 60;

interface Noted extends AppliedStep {
  readonly applied_at: number | string;
}

/**
 * The schema's steps in a MySQL or MariaDB database.
 *
 * A lock by name keeps other processes out and ends with the connection that holds it. Each statement on a table
 * commits by itself there, so a step is noted as begun (`applied_at` 0) before its first one: where a
 * process died in between, the next one goes on after what it finds done.
 */
export class MysqlHistory implements SchemaHistory<MysqlConnection> {
  async applied(connection: MysqlConnection, tables: TableNames): Promise<AppliedStep[]> {
    return (await this.#noted(connection, tables)).filter(({ applied_at }) => Number(applied_at) > 0);
  }

  async apply(
    connection: MysqlConnection,
    tables: TableNames,
    plan: (applied: readonly AppliedStep[]) => readonly PlannedStep[],
  ): Promise<PlannedStep[]> {
    // Lock names are the server's, not the database's.
    const lock = `CONCAT('drover_migrations ', LEFT(MD5(DATABASE()), 32))`;
    const [answer] = await rowsOf<{ got: number | null }>(
      connection,
      `SELECT GET_LOCK(${lock}, ${lockWaitS}) AS got`,
      [],
    );
    if (Number(answer?.got) !== 1) throw stillMigrating();
    try {
      await runText(connection, create);
      const noted = await this.#noted(connection, tables);
      const steps = plan(noted.filter(({ applied_at }) => Number(applied_at) > 0));
      for (const step of steps)
        await take(
          connection,
          step,
          noted.some((one) => isSame(one, step)),
        );
      return [...steps];
    } finally {
      await rowsOf(connection, `SELECT RELEASE_LOCK(${lock})`, []).catch(() => undefined);
    }
  }

  script(steps: readonly PlannedStep[]): string[] {
    const note = (step: PlannedStep): string => noteOf(`\`${historyTable}\``, step, mysqlNow);
    return [create.trim(), ...steps.flatMap((step) => [...step.statements, note(step)])];
  }

  async #noted(connection: MysqlConnection, { schema: _, ...tables }: TableNames): Promise<Noted[]> {
    const names = new Set<string>(Object.values(tables));
    try {
      // All of them, which are few: read once, they need not be prepared.
      const noted = await runText<Noted[]>(connection, read);
      return noted.filter(({ table }) => names.has(table));
    } catch (error) {
      if (errnoOf(error) === 1146) return [];
      throw error;
    }
  }
}

async function take(connection: MysqlConnection, step: PlannedStep, isResumed: boolean): Promise<void> {
  const key = [step.name, step.table];
  if (!isResumed) await changedBy(connection, begin, key);
  for (const [index, statement] of step.statements.entries()) {
    try {
      await runText(connection, statement);
    } catch (error) {
      if (isResumed && isDone(error)) continue;
      // A table of that name that is not ours: nothing was begun.
      if (index === 0) await changedBy(connection, undo, key);
      throw error;
    }
  }
  await changedBy(connection, end, key);
}

/** True for a table, a column or an index that is there already. */
function isDone(error: unknown): boolean {
  return [1050, 1060, 1061].includes(Number(errnoOf(error)));
}

function isSame(one: AppliedStep, other: AppliedStep): boolean {
  return one.name === other.name && one.table === other.table;
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'errno' in error ? error.errno : undefined;
}

function stillMigrating(): QueueError {
  return new QueueError('E_STORE_UNAVAILABLE', `another process has been migrating for ${lockWaitS} s`, {
    fix: 'Look for a connection that holds a lock named "drover_migrations …", and wait or end it.',
    transient: true,
  });
}

import { historyTable, type TableNames } from '../../../migrations/index.js';
import type { AppliedStep, PlannedStep, SchemaHistory } from './dialect.js';
import { noteOf } from './history-note.js';
import {
  changedBy,
  inPostgresTransaction,
  type PostgresConnection,
  postgresNow,
  rowsOnce,
} from './postgres-connection.js';

/** A number of our own among advisory locks: the letters of "drover". */
const lockNumber = 0x64726f766572;

/** What it is called where a statement names a table that is not there. */
const noTable = '42P01';

/**
 * The schema's steps in a PostgreSQL database. They run in one transaction, with an advisory lock that keeps other
 * processes out and ends with the transaction: a process that dies leaves nothing behind.
 */
export class PostgresHistory implements SchemaHistory<PostgresConnection> {
  readonly #table: string;
  readonly #schema: string | undefined;

  /** @param schema the schema of the tables; undefined for the first of the search path. */
  constructor(schema: string | undefined) {
    this.#schema = schema;
    this.#table = schema === undefined ? `"${historyTable}"` : `"${schema}"."${historyTable}"`;
  }

  async applied(connection: PostgresConnection, tables: TableNames): Promise<AppliedStep[]> {
    const sql = `SELECT name, table_name AS "table" FROM ${this.#table} WHERE table_name = ANY ($1::text[])`;
    const { schema: _, ...names } = tables;
    try {
      return await rowsOnce<AppliedStep>(connection, sql, [Object.values(names)]);
    } catch (error) {
      if ((error as { code?: unknown }).code === noTable) return [];
      throw error;
    }
  }

  apply(
    connection: PostgresConnection,
    tables: TableNames,
    plan: (applied: readonly AppliedStep[]) => readonly PlannedStep[],
  ): Promise<PlannedStep[]> {
    return inPostgresTransaction(connection, async () => {
      await connection.query(`SELECT pg_advisory_xact_lock(${lockNumber})`);
      for (const statement of this.#creating()) await connection.query(statement);
      const steps = plan(await this.applied(connection, tables));
      const note = `INSERT INTO ${this.#table} (name, table_name, applied_at) VALUES ($1, $2, ${postgresNow})`;
      for (const { name, table, statements } of steps) {
        for (const statement of statements) await connection.query(statement);
        await changedBy(connection, note, [name, table]);
      }
      return [...steps];
    });
  }

  script(steps: readonly PlannedStep[]): string[] {
    const note = (step: PlannedStep): string => noteOf(this.#table, step, postgresNow);
    return [...this.#creating(), ...steps.flatMap((step) => [...step.statements, note(step)])];
  }

  #creating(): string[] {
    const table = `
CREATE TABLE IF NOT EXISTS ${this.#table} (
  name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (name, table_name)
)`;
    if (this.#schema === undefined) return [table.trim()];
    return [`CREATE SCHEMA IF NOT EXISTS "${this.#schema}"`, table.trim()];
  }
}

import type { SchemaKnex, SchemaStatements } from './schema-knex.js';

/** The names of drover's tables in one database. */
export interface TableNames {
  readonly jobs: string;
  readonly failedJobs: string;
  readonly signals: string;
}

/** The names used where the options of a connection give none. */
export const defaultTables: TableNames = {
  jobs: 'jobs',
  failedJobs: 'failed_jobs',
  signals: 'queue_signals',
};

/**
 * One step of the schema, about one table: connections with other table names in the same database, or
 * with some tables in common, each take the steps that their tables lack.
 *
 * `up` and `down` only describe statements. Return their answer from a migration of your own and knex
 * runs it: `export const up = (knex) => jobsMigration.up(knex, defaultTables)`.
 */
export interface Migration {
  /** Stands in the history table: never changed once released. */
  readonly name: string;
  readonly table: keyof TableNames;
  up(knex: SchemaKnex, tables: TableNames): SchemaStatements;
  down(knex: SchemaKnex, tables: TableNames): SchemaStatements;
}

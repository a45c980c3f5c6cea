import type { SchemaBuilder, SchemaKnex, SchemaStatements, TableBuilder } from './schema-knex.js';

/** The names of drover's tables in one database. */
export interface TableNames {
  readonly jobs: string;
  readonly failedJobs: string;
  readonly signals: string;
  readonly workers: string;
  readonly statistics: string;
  readonly history: string;
  /** The PostgreSQL schema that they are in. Default: the first of the search path. */
  readonly schema?: string;
}

/** The names used where the options of a connection give none. */
export const defaultTables: TableNames = {
  jobs: 'jobs',
  failedJobs: 'failed_jobs',
  signals: 'queue_signals',
  workers: 'queue_workers',
  statistics: 'queue_statistics',
  history: 'queue_history',
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
  readonly table: 'jobs' | 'failedJobs' | 'signals' | 'workers' | 'statistics' | 'history';
  /** True where jobs are worked all the same while the step is not taken. */
  readonly isOptional?: boolean;
  up(knex: SchemaKnex, tables: TableNames): SchemaStatements;
  down(knex: SchemaKnex, tables: TableNames): SchemaStatements;
}

/** knex's schema builder, in the schema of the tables. */
export function builderFor(knex: SchemaKnex, { schema }: TableNames): SchemaBuilder {
  return schema === undefined ? knex.schema : knex.schema.withSchema(schema);
}

/**
 * Sets what MySQL's tables are in all but their columns. Compared byte by byte, so that queues `mail` and `Mail`
 * are two; other databases do so anyway.
 */
export function asMysqlTable(knex: SchemaKnex, table: TableBuilder): void {
  if (knex.client.dialect !== 'mysql') return;
  table.engine('InnoDB');
  table.charset('utf8mb4');
  table.collate('utf8mb4_bin');
}

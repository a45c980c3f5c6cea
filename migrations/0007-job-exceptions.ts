import { builderFor, type Migration, type TableNames } from './migration.js';
import type { SchemaKnex, SchemaStatements } from './schema-knex.js';

/**
 * How many attempts of a live job ended with an error of its handler, for jobs with `maxExceptions`. A column with a
 * constant default: no database rewrites the table for it.
 */
export const jobExceptionsMigration: Migration = {
  name: '0007_job_exceptions',
  table: 'jobs',
  up: (knex, tables) => altered(knex, tables, 'ADD COLUMN exceptions INTEGER NOT NULL DEFAULT 0'),
  down: (knex, tables) => altered(knex, tables, 'DROP COLUMN exceptions'),
};

/** Plain SQL: knex copies a table of SQLite to drop a column. */
function altered(knex: SchemaKnex, tables: TableNames, change: string): SchemaStatements {
  const name = tables.schema === undefined ? [tables.jobs] : [tables.schema, tables.jobs];
  return builderFor(knex, tables).raw(`ALTER TABLE ${name.map(() => '??').join('.')} ${change}`, name);
}

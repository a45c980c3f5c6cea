import { jobsMigration } from './0001-jobs.js';
import { failedJobsMigration } from './0002-failed-jobs.js';
import { signalsMigration } from './0003-queue-signals.js';
import { workersMigration } from './0004-queue-workers.js';
import { statisticsMigration } from './0005-queue-statistics.js';
import { historyMigration } from './0006-queue-history.js';
import { jobExceptionsMigration } from './0007-job-exceptions.js';
import type { Migration } from './migration.js';

export { defaultTables, type Migration, type TableNames } from './migration.js';
export type {
  ColumnBuilder,
  SchemaBuilder,
  SchemaKnex,
  SchemaStatement,
  SchemaStatements,
  TableBuilder,
} from './schema-knex.js';
export {
  failedJobsMigration,
  historyMigration,
  jobExceptionsMigration,
  jobsMigration,
  signalsMigration,
  statisticsMigration,
  workersMigration,
};

/** Every step of the schema, oldest first. Steps are added at the end and never changed. */
export const migrations: readonly Migration[] = [
  jobsMigration,
  failedJobsMigration,
  signalsMigration,
  workersMigration,
  statisticsMigration,
  historyMigration,
  jobExceptionsMigration,
];

/** The table in which the steps taken are noted, one row per step and table. */
export const historyTable = 'drover_migrations';

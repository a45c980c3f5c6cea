import { asMysqlTable, builderFor, type Migration } from './migration.js';

/** The table of jobs that were given up. */
export const failedJobsMigration: Migration = {
  name: '0002_failed_jobs',
  table: 'failedJobs',
  up: (knex, tables) =>
    builderFor(knex, tables).createTable(tables.failedJobs, (table) => {
      asMysqlTable(knex, table);
      table.string('uuid', 36).notNullable().primary();
      table.string('job_id', 64).notNullable();
      table.string('connection', 120).notNullable();
      table.string('queue', 120).notNullable();
      table.string('name', 190);
      table.string('reason', 32).notNullable();
      table.integer('attempts').notNullable();
      table.bigInteger('failed_at').notNullable();
      table.string('host', 255).notNullable();
      table.integer('pid').notNullable();
      table.string('error_class', 255).notNullable();
      table.text('message', 'mediumtext').notNullable();
      table.text('stack', 'mediumtext').notNullable();
      // The cause chain as JSON: text, not a JSON type, because no statement looks into it.
      table.text('causes', 'mediumtext').notNullable();
      table.text('payload', 'longtext').notNullable();
      // job_id first: records are looked up by it too.
      table.unique(['job_id', 'queue', 'connection'], { indexName: `${tables.failedJobs}_job` });
      table.index(['failed_at'], `${tables.failedJobs}_failed_at`);
    }),
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.failedJobs),
};

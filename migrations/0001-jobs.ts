import type { Migration } from './migration.js';

/** The table of live jobs. All times are ms since the epoch. */
export const jobsMigration: Migration = {
  name: '0001_jobs',
  table: 'jobs',
  up: (knex, { jobs }) =>
    knex.schema.createTable(jobs, (table) => {
      table.increments('id');
      table.string('job_id', 64).notNullable();
      table.string('queue', 120).notNullable();
      table.integer('attempts').notNullable();
      // When the job is next due: its delay's end or, while it is reserved, its lease's end.
      table.bigInteger('available_at').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('reserved_at');
      table.string('lease_token', 64);
      // When the job fell due before it was reserved: the place that unreserve gives back.
      table.bigInteger('due_at').notNullable();
      // Last, so that reading the other columns never walks the pages of a long payload.
      table.text('payload', 'longtext').notNullable();
      table.unique(['job_id', 'queue'], { indexName: `${jobs}_job_id_queue` });
      table.index(['queue', 'available_at', 'id'], `${jobs}_due`);
    }),
  down: (knex, { jobs }) => knex.schema.dropTableIfExists(jobs),
};

import { asMysqlTable, builderFor, type Migration } from './migration.js';

/**
 * Every job leaves three or more dead rows behind: it is updated when reserved and extended, then deleted. By default
 * PostgreSQL tidies up once a fifth of the table is dead, which for a backlog of a million jobs is far too late, and
 * looks once a minute. Here a fixed number of dead rows calls for it, whatever waits, and without pauses, so that it is
 * done in moments. An old planner's statistic costs as much, so they are renewed as often.
 */
const vacuumSettings = [
  'autovacuum_vacuum_scale_factor = 0.01',
  'autovacuum_vacuum_threshold = 1000',
  'autovacuum_analyze_scale_factor = 0.02',
  'autovacuum_analyze_threshold = 1000',
  'autovacuum_vacuum_cost_delay = 0',
].join(', ');

/** The table of live jobs. All times are ms since the epoch. */
export const jobsMigration: Migration = {
  name: '0001_jobs',
  table: 'jobs',
  up: (knex, tables) => {
    // SQLite's row ids rise by themselves while a row with a higher one is there. That none ever comes again, which knex asks
    // for, has a table of counters: one page in four that a push of a small job writes.
    const isSqlite = knex.client.dialect === 'sqlite3';
    const made = builderFor(knex, tables).createTable(tables.jobs, (table) => {
      asMysqlTable(knex, table);
      if (isSqlite) table.integer('id').notNullable().primary();
      else table.bigIncrements('id');
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
      table.unique(['job_id', 'queue'], { indexName: `${tables.jobs}_job_id_queue` });
      table.index(['queue', 'available_at', 'id'], `${tables.jobs}_due`);
    });
    if (knex.client.dialect !== 'postgresql') return made;
    const name = tables.schema === undefined ? [tables.jobs] : [tables.schema, tables.jobs];
    return made.raw(`ALTER TABLE ${name.map(() => '??').join('.')} SET (${vacuumSettings})`, name);
  },
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.jobs),
};

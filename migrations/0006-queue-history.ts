import { asMysqlTable, builderFor, type Migration } from './migration.js';

/** The table of ended jobs, for connections whose `history` is on. Nothing else depends on it. All times are ms since the epoch. */
export const historyMigration: Migration = {
  name: '0006_queue_history',
  table: 'history',
  isOptional: true,
  up: (knex, tables) =>
    builderFor(knex, tables).createTable(tables.history, (table) => {
      asMysqlTable(knex, table);
      // Begins with the time of the end, so that the primary key gives the order.
      table.string('entry_id', 32).notNullable().primary();
      table.string('job_id', 64).notNullable();
      table.string('queue', 120).notNullable();
      table.string('name', 255);
      // done or failed.
      table.string('state', 8).notNullable();
      table.integer('attempts').notNullable();
      table.bigInteger('created_at');
      table.bigInteger('due_at');
      table.bigInteger('started_at');
      table.bigInteger('finished_at').notNullable();
      table.string('host', 255).notNullable();
      table.integer('pid').notNullable();
      // JSON, but as text: no statement looks into it.
      table.text('result', 'mediumtext');
      table.string('note', 255);
      table.index(['job_id'], `${tables.history}_job_id`);
    }),
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.history),
};

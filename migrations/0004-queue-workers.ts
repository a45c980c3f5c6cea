import { asMysqlTable, builderFor, type Migration } from './migration.js';

/** The table of live workers: what each says of itself, and until when that holds, in ms since the epoch. */
export const workersMigration: Migration = {
  name: '0004_queue_workers',
  table: 'workers',
  up: (knex, tables) =>
    builderFor(knex, tables).createTable(tables.workers, (table) => {
      asMysqlTable(knex, table);
      table.string('worker', 64).notNullable().primary();
      table.bigInteger('until_at').notNullable();
      table.text('about', 'mediumtext').notNullable();
    }),
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.workers),
};

import { asMysqlTable, builderFor, type Migration } from './migration.js';

/** The table of signals to workers: small texts under a key. */
export const signalsMigration: Migration = {
  name: '0003_queue_signals',
  table: 'signals',
  up: (knex, tables) =>
    builderFor(knex, tables).createTable(tables.signals, (table) => {
      asMysqlTable(knex, table);
      table.string('name', 120).notNullable().primary();
      table.text('value', 'mediumtext').notNullable();
    }),
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.signals),
};

import type { Migration } from './migration.js';

/** The table of signals to workers: small texts under a key. */
export const signalsMigration: Migration = {
  name: '0003_queue_signals',
  table: 'signals',
  up: (knex, { signals }) =>
    knex.schema.createTable(signals, (table) => {
      table.string('name', 120).notNullable().primary();
      table.text('value', 'mediumtext').notNullable();
    }),
  down: (knex, { signals }) => knex.schema.dropTableIfExists(signals),
};

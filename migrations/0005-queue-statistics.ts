import { asMysqlTable, builderFor, type Migration } from './migration.js';

/** The table of statistics: counts and times of each minute or hour. Nothing else depends on it. */
export const statisticsMigration: Migration = {
  name: '0005_queue_statistics',
  table: 'statistics',
  isOptional: true,
  up: (knex, tables) =>
    builderFor(knex, tables).createTable(tables.statistics, (table) => {
      asMysqlTable(knex, table);
      // live, minute or hour.
      table.string('level', 8).notNullable();
      table.bigInteger('started_at').notNullable();
      // The process that writes a live row; else empty.
      table.string('source', 40).notNullable();
      table.string('queue', 120).notNullable();
      table.string('name', 255).notNullable();
      table.text('body', 'mediumtext').notNullable();
      table.unique(['level', 'started_at', 'source', 'queue', 'name'], {
        indexName: `${tables.statistics}_row`,
      });
    }),
  down: (knex, tables) => builderFor(knex, tables).dropTableIfExists(tables.statistics),
};

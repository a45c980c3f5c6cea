import { taskOfThisProcess } from '../task.js';
import { sayStarted } from './marker.js';

// What a worker process is at the least: the client of its store, a connection, and one round trip.
const { place } = taskOfThisProcess();
if (place.store === 'redis') {
  const { Redis } = await import('ioredis');
  await new Redis({ port: place.port, host: '127.0.0.1' }).ping();
} else {
  const { default: knex } = await import('knex');
  const connection = { filename: place.file };
  await knex({ client: 'better-sqlite3', connection, useNullAsDefault: true }).raw('SELECT 1');
}
process.on('disconnect', () => process.exit(0));
sayStarted();

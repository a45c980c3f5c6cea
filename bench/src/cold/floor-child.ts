import { createRequire } from 'node:module';
import type { Place } from '../contender.js';
import { taskOfThisProcess } from '../task.js';
import { sayStarted } from './marker.js';

// What a worker process is at the least: the client of its store, a connection, and one round trip; with the argument
// `knex` that through knex, which the client is chosen with. They are CommonJS, and loaded as that: imported they take half
// as long again.
const load = createRequire(import.meta.url);

async function roundTrip(place: Place): Promise<void> {
  if (place.store === 'redis') {
    const { Redis }: typeof import('ioredis') = load('ioredis');
    await new Redis({ port: place.port, host: '127.0.0.1' }).ping();
  } else if (place.store === 'postgres') {
    const { Client }: typeof import('pg') = load('pg');
    const client = new Client(place.url);
    await client.connect();
    await client.query('SELECT 1');
  } else if (place.store === 'mysql') {
    const { createConnection }: typeof import('mysql2/promise') = load('mysql2/promise');
    await (await createConnection(place.url)).query('SELECT 1');
  } else if (place.store === 'sqlite') {
    const Sqlite: typeof import('better-sqlite3') = load('better-sqlite3');
    new Sqlite(place.file).prepare('SELECT 1').get();
  }
}

async function roundTripByKnex(place: Place): Promise<void> {
  const { knex }: typeof import('knex') = load('knex');
  const configs = {
    postgres: () => ({ client: 'pg', connection: 'url' in place ? place.url : '' }),
    mysql: () => ({ client: 'mysql2', connection: 'url' in place ? place.url : '' }),
    sqlite: () => ({
      client: 'better-sqlite3',
      connection: { filename: 'file' in place ? place.file : '' },
      useNullAsDefault: true,
    }),
  };
  if (!(place.store in configs)) throw new Error(`knex does not speak ${place.store}`);
  await knex(configs[place.store as keyof typeof configs]()).raw('SELECT 1');
}

const { place } = taskOfThisProcess();
await (process.argv.includes('knex') ? roundTripByKnex(place) : roundTrip(place));
process.on('disconnect', () => process.exit(0));
sayStarted();

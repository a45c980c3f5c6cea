import { createRequire } from 'node:module';
import type { Place } from '../contender.js';
import { taskOfThisProcess } from '../task.js';
import { sayStarted } from './marker.js';

// What a worker process is at the least: the client of its store, a connection, and one round trip. The client is
// CommonJS, and loaded as that: imported it takes half as long again.
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
  } else {
    const Sqlite: typeof import('better-sqlite3') = load('better-sqlite3');
    new Sqlite(place.file).prepare('SELECT 1').get();
  }
}

await roundTrip(taskOfThisProcess().place);
process.on('disconnect', () => process.exit(0));
sayStarted();

import { createRequire } from 'node:module';
import { taskOfThisProcess } from '../task.js';
import { sayStarted } from './marker.js';

// What a worker process is at the least: the client of its store, a connection, and one round trip. The client is
// CommonJS, and loaded as that: imported it takes half as long again.
const load = createRequire(import.meta.url);
const { place } = taskOfThisProcess();
if (place.store === 'redis') {
  const { Redis }: typeof import('ioredis') = load('ioredis');
  await new Redis({ port: place.port, host: '127.0.0.1' }).ping();
} else {
  const Sqlite: typeof import('better-sqlite3') = load('better-sqlite3');
  new Sqlite(place.file).prepare('SELECT 1').get();
}
process.on('disconnect', () => process.exit(0));
sayStarted();

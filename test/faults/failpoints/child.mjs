import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createQueue, defineJob, silentLogger, systemClock } from 'drover';
import { database } from 'drover/drivers/database';
import { redis } from 'drover/drivers/redis';

/** What this process does, and where it dies: see `ChildOrder` in points.ts. */
const { store, verb, request, scenario, worker, log } = JSON.parse(process.argv[2]);

const die = () => process.kill(process.pid, 'SIGKILL');

let isWatched = false;
let requests = 0;
/** Called with each request that is about to go to the store. */
const beforeRequest = () => isWatched && ++requests === request && die();

/** Calls `beforeRequest` before a method of a client. */
function watch(prototype, ...names) {
  for (const name of names) {
    const method = prototype[name];
    prototype[name] = function watched(...given) {
      beforeRequest();
      return method.apply(this, given);
    };
  }
}

const require = createRequire(import.meta.url);
const clients = {
  redis: () => watch(require('ioredis').Redis.prototype, 'sendCommand'),
  sqlite: () => {
    const Database = require('better-sqlite3');
    const memory = new Database(':memory:');
    watch(Object.getPrototypeOf(memory.prepare('SELECT 1')), 'run', 'get', 'all');
    watch(Database.prototype, 'exec');
    memory.close();
  },
  mariadb: () => watch(require('mysql2').Connection.prototype, 'addCommand'),
  postgres: () => watch(require('pg').Client.prototype, 'query'),
};
clients[store.kind]();

/** Watches a verb from its call to its answer; the verb of a part of a connector is `part.verb`. */
function wrapVerbs(verbs, prefix = '') {
  return new Proxy(verbs, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === 'failedJobs') return value && wrapVerbs(value, 'failedJobs.');
      if (typeof value !== 'function') return value;
      if (scenario === 'stop' && name === 'reserve') {
        // Told to stop while a job is on its way to it, a worker gives that back.
        return async (...given) => {
          const answer = await value.apply(target, given);
          stopping.abort();
          return answer;
        };
      }
      if (`${prefix}${String(name)}` !== verb) return value.bind(target);
      return async (...given) => {
        isWatched = true;
        const answer = await value.apply(target, given);
        isWatched = false;
        if (request === 'after') die();
        return answer;
      };
    },
  });
}

const driver = store.kind === 'redis' ? redis(store.options) : database(store.options);
const wrapped = { ...driver, connect: (context) => wrapVerbs(driver.connect(context)) };

const write = (event, job) => appendFileSync(log, `${event} ${job.id}\n`);

async function handle({ job }) {
  write('started', job);
  if (verb === 'handler' && request === 1) die();
  if (scenario === 'throw') throw new Error('boom');
  if (scenario === 'release') return job.release(0);
  write('finished', job);
  if (verb === 'handler') die();
}

const stopping = new AbortController();
const jobs = [defineJob({ name: 'job', handle, backoff: 0 })];
const queue = createQueue({ connections: { default: wrapped }, jobs, worker });

const scenarios = {
  push: () => queue.push('job', null, { id: 'one' }),
  retry: async () => queue.failed.retry(await queue.failed.list()),
  migrate: () =>
    wrapped.connect({ connection: 'default', clock: systemClock, logger: silentLogger }).migrate(),
  stop: () => queue.worker().run(stopping.signal),
};
// The connection stands and the tables are there before anything is watched.
if (scenario !== 'migrate') await queue.size();
await (scenarios[scenario] ?? (() => queue.worker({ maxJobs: 1 }).run()))();
await queue.close();
process.exit(0);

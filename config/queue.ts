import { database } from '../drivers/database/index.js';
import { memory } from '../drivers/memory/index.js';
import { redis } from '../drivers/redis/index.js';
import { sync } from '../drivers/sync/index.js';
import { defineConfig } from './define-config.js';

// Time spans are text with a unit ('250ms', '30s', '5m', '2h', '7d') or a number of seconds.
// What is commented out shows the defaults.
export default defineConfig({
  // The connection used where none is named. QUEUE_CONNECTION in the environment goes before it.
  default: 'database',

  // Backing services, under names of your choice.
  connections: {
    // Jobs in a SQLite file, created and migrated on first use, for all processes of this machine.
    // It needs two packages: npm install knex better-sqlite3
    // Or on a server, for all hosts: 'postgres://user:password@host/app' with pg, 'mysql://…' with mysql2.
    database: database({
      url: process.env.DATABASE_URL || 'sqlite:./drover.sqlite', // from the working directory
      // queue: 'default', // used where no queue is named
      // lease: '90s', // how long a job is kept for the worker that took it: above timeout + grace
    }),

    // Jobs in Redis, for all hosts that reach it, in think-queue's format. It needs a package: npm install ioredis
    // Here only where the environment asks for it: queue:failed and others look into every connection.
    ...((process.env.REDIS_URL || process.env.QUEUE_CONNECTION === 'redis') && {
      redis: redis({
        url: process.env.REDIS_URL || 'redis://127.0.0.1:6379', // rediss:// for TLS
        // prefix: '', // before every key
        // commandTimeout: '5s', // how long one command may take
      }),
    }),

    // Runs each job inside push, without a worker.
    sync: sync(),

    // Jobs in the memory of one process, for tests.
    memory: memory(),
  },

  // The files with your jobs, from the project's folder.
  jobs: './jobs/**/*.{ts,mts,js,mjs}',

  // What names mean that PHP pushes and no job is registered under (phpNames is in 'drover').
  // names: phpNames({ namespace: 'app\\job' }),

  // Where failed jobs are kept: 'same' is the store of their own connection, { connection: 'database' } is one
  // for all, and 'none' deletes them.
  // failed: 'same',

  // Called with each job that a worker of this process gave up.
  // onFailed: ({ job, error, reason }) => alert(`${job.name} failed: ${reason}`, error),

  // Counts jobs and their times for queue:stats, written to the store every two seconds at most.
  // statistics: true,
  // Whether the application is in maintenance: workers take no jobs meanwhile.
  // maintenance: () => existsSync('down'),

  // A ThinkPHP application's file cache, for its restart signal.
  // thinkCache: '../shop/runtime/cache',

  // How workers work. Flags of queue:work go before it, and a job's own settings before both.
  // worker: {
  //   queues: ['default'], // the first before the second
  //   concurrency: 1, // jobs that run side by side in one process
  //   tries: 3, // deliveries allowed, the first included; 0 sets no limit
  //   backoff: 'exponential', // wait after a failed attempt: 1 s, 2 s, 4 s … an hour. Or '10s', or ['1s', '5m']
  //   timeout: '60s', // longest run of one attempt; 0 sets no limit
  //   unknownJobPatience: '10m', // how long jobs that this worker does not know are put off for others
  //   grace: '5s', // how long a handler may take to end once it is aborted
  //   sleep: '3s', // longest time between two looks at an idle store
  //   rest: 0, // how long each slot rests after a job
  //   force: false, // work also during maintenance
  //   shutdownTimeout: '25s', // how long running jobs may take to end once the worker is asked to stop
  //   maxJobs: 0, // stop after so many jobs; 0 sets no limit
  //   maxTime: 0, // stop after so long; 0 sets no limit
  //   memory: 0, // stop above so many MiB; 0 sets no limit
  //   maxOutage: 0, // stop when the store was away for so long; 0 waits for it
  // },

  // Groups of worker processes for queue:supervise, each with settings of `worker`, a connection and a number of workers.
  // supervisors: {
  //   mail: { queues: ['mail'], workers: 2, concurrency: 10 },
  //   reports: { queues: ['reports'], timeout: '80s', memory: 512 },
  // },

  // The largest payload that may be pushed, in bytes of its JSON.
  // maxPayloadBytes: 1_048_576,
});

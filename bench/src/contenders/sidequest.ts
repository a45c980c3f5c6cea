import { fileURLToPath } from 'node:url';
import { type Contender, importPeer, type JobData, type Place } from '../contender.js';
import { Bench } from './sidequest-jobs.js';

interface SidequestModule {
  readonly Sidequest: {
    configure(config: object): Promise<unknown>;
    start(config: object): Promise<void>;
    build(job: unknown): { enqueue(data: JobData): Promise<unknown> };
    stop(): Promise<void>;
  };
}

/**
 * Sidequest, with jobs in the worker's own thread and a look every 10 ms. By default it has a process and threads of its
 * own for them, which could not tell the benchmark what they handle; so it looks lighter here than it is.
 */
export async function open(place: Place): Promise<Contender> {
  const { Sidequest } = await importPeer<SidequestModule>('sidequest');
  const config = (concurrency: number) => ({
    backend: backendOf(place),
    logger: { level: 'error' },
    fork: false,
    runner: 'inline',
    gracefulShutdown: false,
    jobPollingInterval: 10,
    maxConcurrentJobs: concurrency,
    queues: [{ name: 'default', concurrency }],
    manualJobResolution: true,
    jobsFilePath: fileURLToPath(new URL('sidequest-jobs.js', import.meta.url)),
    dashboard: { enabled: false },
  });
  let configuring: Promise<unknown> | undefined;
  return {
    push: async (data) => {
      configuring ??= Sidequest.configure(config(1));
      await configuring;
      return Sidequest.build(Bench).enqueue(data);
    },
    work: (concurrency, handle) => {
      Bench.handle = handle;
      return Sidequest.start(config(concurrency));
    },
    close: () => Sidequest.stop(),
  };
}

function backendOf(place: Place): object {
  switch (place.store) {
    case 'postgres':
      return { driver: '@sidequest/postgres-backend', config: place.url };
    case 'mysql':
      return { driver: '@sidequest/mysql-backend', config: place.url };
    case 'sqlite':
      return { driver: '@sidequest/sqlite-backend', config: place.file };
    default:
      throw new Error('Sidequest needs a database');
  }
}

import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface BullJob {
  readonly name: string;
  readonly data: JobData;
  readonly opts?: { readonly delay: number };
}

interface BullModule {
  readonly Queue: new (
    name: string,
    options: object,
    backend?: unknown,
  ) => {
    add(name: string, data: JobData): Promise<unknown>;
    addBulk(jobs: readonly BullJob[]): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    handle: (job: { readonly data: JobData }) => Promise<void>,
    options: object,
    backend?: unknown,
  ) => { on(event: 'error', listener: (error: Error) => void): unknown };
  readonly createPostgresBackend: unknown;
}

/** BullMQ, on Redis or PostgreSQL; done jobs are removed, as drover's are. */
export async function open(place: Place): Promise<Contender> {
  const { Queue, Worker, createPostgresBackend } = await importPeer<BullModule>('bullmq');
  const [connection, ...backend] =
    place.store === 'postgres'
      ? [{ connectionString: place.url, migrate: true }, createPostgresBackend]
      : [{ host: '127.0.0.1', port: portOf(place), maxRetriesPerRequest: null }];
  const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };
  const queue = new Queue('bench', { connection, defaultJobOptions }, ...backend);
  return {
    push: (data) => queue.add('bench', data),
    pushMany: (list, delay = 0) =>
      queue.addBulk(list.map((data) => ({ name: 'bench', data, ...(delay > 0 && { opts: { delay } }) }))),
    work: (concurrency, handle) => {
      const options = { connection, concurrency };
      const worker = new Worker('bench', async ({ data }) => handle(data), options, ...backend);
      worker.on('error', () => {}); // a connection that ends with the process
    },
    close: () => queue.close(),
  };
}

function portOf(place: Place): number {
  if (place.store !== 'redis') throw new Error('BullMQ needs Redis or PostgreSQL');
  return place.port;
}

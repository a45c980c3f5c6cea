import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface BullModule {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: JobData): Promise<unknown>;
    addBulk(jobs: readonly { readonly name: string; readonly data: JobData }[]): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    handle: (job: { readonly data: JobData }) => Promise<void>,
    options: object,
  ) => unknown;
}

/** BullMQ; done jobs are removed, as drover's are. */
export async function open(place: Place): Promise<Contender> {
  if (place.store !== 'redis') throw new Error('BullMQ needs Redis');
  const { Queue, Worker } = await importPeer<BullModule>('bullmq');
  const connection = { host: '127.0.0.1', port: place.port, maxRetriesPerRequest: null };
  const queue = new Queue('bench', {
    connection,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  return {
    push: (data) => queue.add('bench', data),
    pushMany: (list) => queue.addBulk(list.map((data) => ({ name: 'bench', data }))),
    work: (concurrency, handle) => {
      new Worker('bench', async ({ data }) => handle(data), { connection, concurrency });
    },
    close: () => queue.close(),
  };
}

import { Redis } from 'ioredis';
import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface GroupModule {
  readonly Queue: new (
    options: object,
  ) => {
    add(job: { groupId: string; data: JobData; delay?: number }): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (options: object) => { run(): Promise<void> };
}

/** A group is worked one job at a time, so that few groups would leave most slots empty. */
const groups = 1000;

/** groupmq, with its jobs spread over groups. */
export async function open(place: Place): Promise<Contender> {
  if (place.store !== 'redis') throw new Error('groupmq needs Redis');
  const { Queue, Worker } = await importPeer<GroupModule>('groupmq');
  const redis = new Redis({ host: '127.0.0.1', port: place.port, maxRetriesPerRequest: null });
  const queue = new Queue({ redis, namespace: 'bench' });
  let pushed = 0;
  const push = (data: JobData, delay = 0) =>
    queue.add({ groupId: `group-${pushed++ % groups}`, data, ...(delay > 0 && { delay }) });
  return {
    push: (data) => push(data),
    work: (concurrency, handle) =>
      new Worker({
        queue,
        concurrency,
        handler: async ({ data }: { readonly data: JobData }) => handle(data),
      }).run(),
    close: () => queue.close(),
  };
}

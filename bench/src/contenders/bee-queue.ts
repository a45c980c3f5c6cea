import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface BeeJob {
  readonly data: JobData;
  save(): Promise<unknown>;
}

interface BeeQueue {
  createJob(data: JobData): BeeJob;
  saveAll(jobs: readonly BeeJob[]): Promise<Map<BeeJob, Error>>;
  process(concurrency: number, handle: (job: BeeJob) => Promise<void>): void;
  close(): Promise<unknown>;
}

type BeeModule = { readonly default: new (name: string, settings: object) => BeeQueue };

/** bee-queue; done jobs are removed, as drover's are. */
export async function open(place: Place): Promise<Contender> {
  if (place.store !== 'redis') throw new Error('bee-queue needs Redis');
  const { default: Queue } = await importPeer<BeeModule>('bee-queue');
  const queue = new Queue('bench', { redis: { port: place.port }, removeOnSuccess: true });
  return {
    push: (data) => queue.createJob(data).save(),
    pushMany: async (list) => {
      const errors = await queue.saveAll(list.map((data) => queue.createJob(data)));
      for (const error of errors.values()) throw error;
    },
    work: (concurrency, handle) => queue.process(concurrency, async (job) => handle(job.data)),
    close: () => queue.close(),
  };
}

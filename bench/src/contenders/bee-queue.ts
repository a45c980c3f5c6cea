import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface BeeJob {
  readonly data: JobData;
  save(): Promise<unknown>;
  delayUntil(at: number): BeeJob;
}

interface BeeQueue {
  createJob(data: JobData): BeeJob;
  saveAll(jobs: readonly BeeJob[]): Promise<Map<BeeJob, Error>>;
  process(concurrency: number, handle: (job: BeeJob) => Promise<void>): void;
  close(): Promise<unknown>;
}

type BeeModule = { readonly default: new (name: string, settings: object) => BeeQueue };

/** What its documentation advises for speed: no events for the pushing side. */
const tuning = { sendEvents: false, getEvents: false, storeJobs: false };

/** bee-queue; done jobs are removed, as drover's are. @param isTuned without what it need not have on. */
export async function open(place: Place, isTuned: boolean): Promise<Contender> {
  if (place.store !== 'redis') throw new Error('bee-queue needs Redis');
  const { default: Queue } = await importPeer<BeeModule>('bee-queue');
  const settings = { redis: { port: place.port }, removeOnSuccess: true, ...(isTuned && tuning) };
  const queue = new Queue('bench', settings);
  return {
    push: (data) => queue.createJob(data).save(),
    pushMany: async (list, delayMs = 0) => {
      const dueAt = Date.now() + delayMs;
      const made = list.map((data) => queue.createJob(data));
      const errors = await queue.saveAll(delayMs > 0 ? made.map((job) => job.delayUntil(dueAt)) : made);
      for (const error of errors.values()) throw error;
    },
    work: (concurrency, handle) => queue.process(concurrency, async (job) => handle(job.data)),
    close: () => queue.close(),
  };
}

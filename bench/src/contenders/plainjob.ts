import Database from 'better-sqlite3';
import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface PlainQueue {
  add(type: string, data: JobData): unknown;
  addMany(type: string, list: readonly JobData[], options?: { delay: number }): unknown;
  close(): void;
}

interface PlainModule {
  better(database: Database.Database): unknown;
  defineQueue(options: object): PlainQueue;
  defineWorker(
    type: string,
    handle: (job: { readonly data: string }) => void | Promise<void>,
    options: object,
  ): { start(): Promise<void> };
}

const silent = { error: console.error, warn: () => {}, info: () => {}, debug: () => {} };

/** plainjob, without its line per job. It runs one job at a time, whatever the concurrency. */
export async function open(place: Place): Promise<Contender> {
  if (place.store !== 'sqlite') throw new Error('plainjob needs SQLite');
  const { better, defineQueue, defineWorker } = await importPeer<PlainModule>('plainjob');
  const queue = defineQueue({ connection: better(new Database(place.file)), logger: silent });
  return {
    push: (data) => queue.add('bench', data),
    pushMany: (list, delay = 0) => queue.addMany('bench', list, ...(delay > 0 ? [{ delay }] : [])),
    work: (_, handle) =>
      defineWorker('bench', ({ data }) => handle(JSON.parse(data) as JobData), {
        queue,
        logger: silent,
      }).start(),
    close: () => queue.close(),
  };
}

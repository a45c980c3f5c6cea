import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface BossModule {
  readonly PgBoss: new (
    options: object,
  ) => {
    on(event: 'error', listener: (error: Error) => void): void;
    start(): Promise<unknown>;
    createQueue(name: string, options: object): Promise<void>;
    send(name: string, data: JobData): Promise<unknown>;
    insert(name: string, jobs: readonly { data: JobData; startAfter?: number }[]): Promise<unknown>;
    work(
      name: string,
      options: object,
      handle: (jobs: readonly { readonly data: JobData }[]) => Promise<void>,
    ): Promise<unknown>;
    stop(options: object): Promise<void>;
  };
}

/**
 * pg-boss with notifications, and with as many jobs a batch as there are slots, one batch right after the other: by
 * default it takes one job every two seconds. It keeps done jobs.
 */
export async function open(place: Place): Promise<Contender> {
  if (place.store !== 'postgres') throw new Error('pg-boss needs PostgreSQL');
  const { PgBoss } = await importPeer<BossModule>('pg-boss');
  const boss = new PgBoss({ connectionString: place.url, useListenNotify: true });
  boss.on('error', () => {});
  await boss.start();
  await boss.createQueue('bench', { notify: true });
  return {
    push: (data) => boss.send('bench', data),
    pushMany: (list, delayMs = 0) =>
      boss.insert(
        'bench',
        list.map((data) => ({ data, ...(delayMs > 0 && { startAfter: Math.ceil(delayMs / 1000) }) })),
      ),
    work: (concurrency, handle) =>
      boss.work('bench', { batchSize: concurrency, burstWhenBatchFull: true }, async (jobs) => {
        const underWay = jobs.flatMap(({ data }) => handle(data) ?? []);
        await Promise.all(underWay);
      }),
    close: () => boss.stop({ graceful: false }),
  };
}

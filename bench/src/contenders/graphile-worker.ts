import { type Contender, importPeer, type JobData, type Place } from '../contender.js';

interface GraphileModule {
  makeWorkerUtils(options: object): Promise<{
    addJob(task: string, data: JobData, spec?: { runAt?: Date }): Promise<unknown>;
    addJobs(specs: readonly { identifier: string; payload: JobData; runAt?: Date }[]): Promise<unknown>;
    migrate(): Promise<void>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<unknown>;
  readonly Logger: new (sink: () => () => void) => unknown;
}

/** The preset that its documentation advises for many jobs: reserved ahead, and completed in batches. */
const tuning = {
  preset: {
    worker: {
      localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
};

/** graphile-worker. @param isTuned as for many jobs; else with the settings that nobody asked for. */
export async function open(place: Place, isTuned: boolean): Promise<Contender> {
  if (place.store !== 'postgres') throw new Error('graphile-worker needs PostgreSQL');
  const { makeWorkerUtils, run, Logger } = await importPeer<GraphileModule>('graphile-worker');
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ connectionString: place.url, logger });
  await utils.migrate();
  const runAt = (delayMs: number) => (delayMs > 0 ? { runAt: new Date(Date.now() + delayMs) } : {});
  return {
    push: (data) => utils.addJob('bench', data),
    pushMany: (list, delayMs = 0) =>
      utils.addJobs(list.map((payload) => ({ identifier: 'bench', payload, ...runAt(delayMs) }))),
    work: (concurrency, handle) =>
      run({
        connectionString: place.url,
        concurrency,
        noHandleSignals: true,
        logger,
        taskList: { bench: async (data: JobData) => handle(data) },
        ...(isTuned && tuning),
      }),
    close: () => utils.release(),
  };
}

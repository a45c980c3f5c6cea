import type { MemoryConnector } from '../../drivers/memory/connector.js';
import type {
  Connector,
  FailedJobStore,
  HistoryStore,
  Lease,
  ReservedJob,
  SignalStore,
  StatisticsStore,
  WorkerRegistry,
} from '../../src/index.js';

/** A memory connector with all the verbs that it has as own properties, so that a spread can replace some of them. */
export type Delegate = Required<
  Omit<
    Connector,
    | 'migrate'
    | 'schemaSql'
    | 'diagnose'
    | 'pushIn'
    | 'deleteIn'
    | 'inline'
    | 'failedJobs'
    | 'deleteAndReserve'
    | 'prefetch'
    | 'isInProcess'
    | 'isPipelined'
    | 'bodiesOf'
  >
> & {
  readonly failedJobs: Required<FailedJobStore>;
};

/** Passes every verb on to `memory`. */
export function delegateTo(memory: MemoryConnector): Delegate {
  return {
    push: (queue, jobs) => memory.push(queue, jobs),
    reserve: (queues, limit, leaseMs) => memory.reserve(queues, limit, leaseMs),
    extend: (leases, leaseMs) => memory.extend(leases, leaseMs),
    delete: (leases) => memory.delete(leases),
    release: (releases) => memory.release(releases),
    size: (queue) => memory.size(queue),
    longestWaitMs: (queue) => memory.longestWaitMs(queue),
    clear: (queue, options) => memory.clear(queue, options),
    close: () => memory.close(),
    unreserve: (leases) => memory.unreserve(leases),
    postpone: (releases) => memory.postpone(releases),
    releaseThrown: (releases) => memory.releaseThrown(releases),
    fail: (failures) => memory.fail(failures),
    waitForJob: (queues, maxWaitMs, signal) => memory.waitForJob(queues, maxWaitMs, signal),
    failedJobs: delegateToFailedJobs(memory.failedJobs),
    signals: delegateToSignals(memory.signals),
    statistics: delegateToStatistics(memory.statistics),
    history: delegateToHistory(memory.history),
    peek: (queue, options) => memory.peek(queue, options),
    find: (queue, id) => memory.find(queue, id),
    workers: delegateToWorkers(memory.workers),
  };
}

function delegateToFailedJobs(store: Required<FailedJobStore>): Required<FailedJobStore> {
  return {
    record: (failures) => store.record(failures),
    list: (filter) => store.list(filter),
    find: (ids) => store.find(ids),
    forget: (uuids) => store.forget(uuids),
    flush: (options) => store.flush(options),
    retry: (uuids) => store.retry(uuids),
  };
}

function delegateToSignals(store: SignalStore): SignalStore {
  return {
    read: (key) => store.read(key),
    write: (key, value) => store.write(key, value),
    ...(store.swap && { swap: store.swap.bind(store) }),
  };
}

function delegateToWorkers(store: WorkerRegistry): WorkerRegistry {
  return {
    beat: (beat) => store.beat(beat),
    list: () => store.list(),
    leave: (id) => store.leave(id),
  };
}

function delegateToStatistics(store: StatisticsStore): StatisticsStore {
  return {
    put: (rows) => store.put(rows),
    read: (range) => store.read(range),
    replace: (rows, by) => store.replace(rows, by),
  };
}

function delegateToHistory(store: HistoryStore): HistoryStore {
  return {
    add: (ended) => store.add(ended),
    list: (filter) => store.list(filter),
    find: (jobIds) => store.find(jobIds),
    prune: (keep) => store.prune(keep),
  };
}

/** Remembers the newest lease of each job: what a store that does not compare tokens goes by. */
export class NewestLeases {
  readonly #byJob = new Map<string, ReservedJob>();

  remember(reserved: readonly ReservedJob[]): void {
    for (const job of reserved) this.#byJob.set(keyOf(job.lease), job);
  }

  /** The delivery that is newest for the lease's job, whoever holds it. */
  deliveryOf(lease: Lease): ReservedJob | undefined {
    return this.#byJob.get(keyOf(lease));
  }

  /** The newest lease of the same job, whoever holds it. */
  of(lease: Lease): Lease {
    return this.deliveryOf(lease)?.lease ?? lease;
  }
}

function keyOf({ queue, handle }: Lease): string {
  return JSON.stringify([queue, handle]);
}

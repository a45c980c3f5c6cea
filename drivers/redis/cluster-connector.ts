import {
  type Connector,
  type FailedJobStore,
  type Finding,
  type HistoryStore,
  isQueueError,
  type Lease,
  type LiveJob,
  type NewJob,
  type Peek,
  type PushOutcome,
  QueueError,
  type QueueSize,
  type Release,
  type ReservedJob,
  type SignalStore,
  type StatisticsStore,
  type WorkerRegistry,
} from '../../src/index.js';
import type { Commands } from './commands.js';
import { RedisConnector, type RedisParts } from './connector.js';
import type { Script } from './script.js';

/**
 * The contract on Redis Cluster, where a script can touch the keys of one slot, which is one queue. It has no
 * `fail` and no `retry`: the failed jobs are in another slot, so the core takes two steps.
 */
export class ClusterConnector implements Connector {
  readonly prefetch: number;
  readonly failedJobs: FailedJobStore;
  readonly signals: SignalStore;
  readonly statistics: StatisticsStore;
  readonly history: HistoryStore;
  readonly workers: WorkerRegistry;
  readonly releaseThrown?: (releases: readonly Release[]) => Promise<boolean[]>;
  readonly bodiesOf?: (jobs: readonly ReservedJob[]) => Promise<(string | undefined)[]>;
  readonly #each: RedisConnector;

  constructor(parts: Omit<RedisParts, 'isOneSlot'>) {
    this.#each = new RedisConnector({ ...parts, session: guarded(parts.session), isOneSlot: false });
    this.prefetch = this.#each.prefetch;
    this.failedJobs = withoutRetry(this.#each.failedJobs);
    this.signals = this.#each.signals;
    this.statistics = this.#each.statistics;
    this.history = this.#each.history;
    this.workers = this.#each.workers;
    const { releaseThrown, bodiesOf } = this.#each;
    if (releaseThrown) {
      this.releaseThrown = (releases) => perQueue(releases, queueOfLeased, releaseThrown);
    }
    if (bodiesOf) this.bodiesOf = (jobs) => perQueue(jobs, queueOfLeased, bodiesOf);
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#each.push(queue, jobs);
  }

  /** A queue whose node is away is passed over: the others go on, and its error is told once they are empty. */
  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    const jobs: ReservedJob[] = [];
    const errors: unknown[] = [];
    for (const queue of new Set(queues)) {
      if (jobs.length >= limit) break;
      try {
        jobs.push(...(await this.#each.reserve([queue], limit - jobs.length, leaseMs)));
      } catch (error) {
        errors.push(error);
        if (!isQueueError(error) || !error.transient) break;
      }
    }
    // Jobs that are held already must not wait for their leases to lapse.
    if (jobs.length === 0 && errors.length > 0) throw errors[0];
    return jobs;
  }

  waitForJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    return this.#each.waitForJob(queues, maxWaitMs, signal);
  }

  /** One script where all is about one queue. */
  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<{ held: boolean[]; jobs: ReservedJob[] }> {
    if (new Set([...queues, ...leases.map(queueOf)]).size === 1) {
      return await this.#each.deleteAndReserve(leases, queues, limit, leaseMs);
    }
    const held = await this.delete(leases);
    return { held, jobs: await this.reserve(queues, limit, leaseMs) };
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return perQueue(leases, queueOf, (some) => this.#each.extend(some, leaseMs));
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    return perQueue(leases, queueOf, (some) => this.#each.delete(some));
  }

  release(releases: readonly Release[]): Promise<boolean[]> {
    return perQueue(releases, queueOfLeased, (some) => this.#each.release(some));
  }

  postpone(releases: readonly Release[]): Promise<boolean[]> {
    return perQueue(releases, queueOfLeased, (some) => this.#each.postpone(some));
  }

  unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    return perQueue(leases, queueOf, (some) => this.#each.unreserve(some));
  }

  size(queue: string): Promise<QueueSize> {
    return this.#each.size(queue);
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return this.#each.peek(queue, options);
  }

  find(queue: string, id: string): Promise<LiveJob | null> {
    return this.#each.find(queue, id);
  }

  clear(queue: string, options?: { readonly reserved?: boolean }): Promise<QueueSize> {
    return this.#each.clear(queue, options);
  }

  diagnose(): Promise<Finding[]> {
    return this.#each.diagnose();
  }

  close(): Promise<void> {
    return this.#each.close();
  }
}

function queueOf(lease: Lease): string {
  return lease.queue;
}

function queueOfLeased({ lease }: { readonly lease: Lease }): string {
  return lease.queue;
}

/**
 * Settles the items of each queue by themselves, or reads them, all queues at once, and answers in the order given.
 *
 * @throws the error of the first queue that has one: ambiguous where others were settled, as a repetition answers
 * `false` for those.
 */
async function perQueue<Item, Answer = boolean>(
  items: readonly Item[],
  queueOf: (item: Item) => string,
  settle: (items: Item[]) => Promise<Answer[]>,
): Promise<Answer[]> {
  const groups = new Map<string, number[]>();
  for (const [index, item] of items.entries()) {
    const queue = queueOf(item);
    const group = groups.get(queue);
    if (group === undefined) groups.set(queue, [index]);
    else group.push(index);
  }
  const answers = new Array<Answer>(items.length);
  const results = await Promise.allSettled(
    [...groups.values()].map(async (group) => {
      const some = await settle(group.map((index) => items[index] as Item));
      for (const [at, index] of group.entries()) answers[index] = some[at] as Answer;
    }),
  );
  const refused = results.find((result) => result.status === 'rejected');
  if (refused === undefined) return answers;
  throw results.some(({ status }) => status === 'fulfilled') ? inPart(refused.reason) : refused.reason;
}

function inPart(error: unknown): unknown {
  if (!isQueueError(error) || error.ambiguous) return error;
  const { code, message, fix, transient, cause } = error;
  return new QueueError(code, `${message}; other queues were settled`, {
    ...(fix === undefined ? {} : { fix }),
    transient,
    ambiguous: true,
    cause,
  });
}

/**
 * Adds a key that is never there to those of each script. While a slot is on its way, Redis then refuses the whole
 * script (TRYAGAIN). Without it, one whose keys are all still there would begin, and end half-way once it emptied one
 * of them: a job taken out by its first half could not be put anywhere by its second.
 */
function guarded(session: Commands): Commands {
  return {
    run: (key, command) => session.run(key, command),
    runOnEach: (command) => session.runOnEach(command),
    script: <T>(
      script: Script,
      keys: readonly string[],
      args: readonly (string | number | Buffer)[],
      timeoutMs?: number,
    ) => session.script<T>(script, [...keys, `${keys[0]}:never`], args, timeoutMs),
    transaction: (transaction) => session.transaction(transaction),
    commandTimeoutMs: session.commandTimeoutMs,
    openBlocking: (key) => session.openBlocking(key),
    close: () => session.close(),
  };
}

function withoutRetry(store: FailedJobStore): FailedJobStore {
  return {
    record: (failures) => store.record(failures),
    list: (filter) => store.list(filter),
    find: (ids) => store.find(ids),
    forget: (uuids) => store.forget(uuids),
    flush: (options) => store.flush(options),
  };
}

import {
  type Clock,
  type Connector,
  type FailedJob,
  type Failure,
  type Lease,
  type LiveJob,
  type NewJob,
  type Peek,
  ProcessHistory,
  ProcessStatistics,
  type PushOutcome,
  QueueError,
  type QueueSize,
  type Release,
  type ReservedJob,
  type SignalStore,
  type WorkerRegistry,
} from '../../src/index.js';
import { MemoryFailedJobs } from './failed-jobs.js';
import { Lane } from './lane.js';
import { LiveWorkers } from './live-workers.js';
import { Waiters } from './waiters.js';

/**
 * The contract of a connector in its plainest form. No verb awaits anything, so each is one turn of the
 * event loop: nothing can come between its steps, and it is done in full or not at all.
 */
export class MemoryConnector implements Connector {
  readonly failedJobs = new MemoryFailedJobs({
    assertOpen: () => this.#assertOpen(),
    restore: (record) => this.#restore(record),
  });
  readonly statistics = new ProcessStatistics(() => this.#assertOpen());
  readonly history = new ProcessHistory(() => this.#assertOpen());
  readonly signals: SignalStore = {
    read: async (key) => {
      this.#assertOpen();
      return this.#signals.get(key) ?? null;
    },
    write: async (key, value) => {
      this.#assertOpen();
      this.#signals.set(key, value);
    },
    swap: async (key, expected, value) => {
      this.#assertOpen();
      if ((this.#signals.get(key) ?? null) !== expected) return false;
      this.#signals.set(key, value);
      return true;
    },
  };
  readonly workers: WorkerRegistry = {
    beat: async (beat) => {
      this.#assertOpen();
      this.#workers.beat(beat, this.#clock.now());
    },
    list: async () => {
      this.#assertOpen();
      return this.#workers.list(this.#clock.now());
    },
    leave: async (id) => {
      this.#assertOpen();
      this.#workers.leave(id);
    },
  };

  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  readonly #signals = new Map<string, string>();
  readonly #workers = new LiveWorkers();
  readonly #waiters = new Waiters();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    this.#assertOpen();
    const outcomes = this.#lane(queue).push(jobs, this.#clock.now());
    this.#waiters.changed(queue);
    return outcomes;
  }

  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    this.#assertOpen();
    const reserved: ReservedJob[] = [];
    for (const queue of queues) {
      const jobs = this.#lane(queue).reserve(limit - reserved.length, leaseMs, this.#clock.now());
      if (jobs.length === 0) continue;
      for (const job of jobs) reserved.push(job);
      // A waiting call must know when these leases will lapse.
      this.#waiters.changed(queue);
    }
    return reserved;
  }

  async extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    this.#assertOpen();
    const endMs = this.#clock.now() + leaseMs;
    return leases.map(({ queue, token }) => {
      const wasHeld = this.#lane(queue).extend(token, endMs);
      this.#waiters.changed(queue);
      return wasHeld;
    });
  }

  async delete(leases: readonly Lease[]): Promise<boolean[]> {
    this.#assertOpen();
    return leases.map(({ queue, token }) => this.#lane(queue).delete(token));
  }

  async release(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(releases, {});
  }

  async postpone(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(releases, { attempts: -1 });
  }

  async releaseThrown(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(releases, { exceptions: 1 });
  }

  async unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    this.#assertOpen();
    return leases.map(({ queue, token }) => {
      const wasHeld = this.#lane(queue).unreserve(token);
      this.#waiters.changed(queue);
      return wasHeld;
    });
  }

  async fail(failures: readonly Failure[]): Promise<boolean[]> {
    this.#assertOpen();
    return failures.map(({ lease: { queue, token }, record }) => {
      const lane = this.#lane(queue);
      if (!lane.holds(token)) return false;
      this.failedJobs.keep(record);
      return lane.delete(token);
    });
  }

  async size(queue: string): Promise<QueueSize> {
    this.#assertOpen();
    return this.#lane(queue).size(this.#clock.now());
  }

  async longestWaitMs(queue: string): Promise<number | null> {
    this.#assertOpen();
    return this.#lane(queue).longestWaitMs(this.#clock.now());
  }

  async peek(queue: string, options: Peek): Promise<LiveJob[]> {
    this.#assertOpen();
    return this.#lane(queue).peek(options, this.#clock.now());
  }

  async find(queue: string, id: string): Promise<LiveJob | null> {
    this.#assertOpen();
    return this.#lane(queue).find(id, this.#clock.now());
  }

  async clear(queue: string, options: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    this.#assertOpen();
    return this.#lane(queue).clear(options.reserved ?? false, this.#clock.now());
  }

  async waitForJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    this.#assertOpen();
    const msUntilDue = (): number => {
      const looks = queues.map((queue) => this.#lane(queue).nextLookMs());
      return Math.min(...looks) - this.#clock.now();
    };
    await this.#waiters.wait({ queues, maxWaitMs, signal, msUntilDue });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiters.wakeAll();
  }

  #release(releases: readonly Release[], count: Parameters<Lane['release']>[2]): boolean[] {
    this.#assertOpen();
    const nowMs = this.#clock.now();
    return releases.map(({ lease: { queue, token }, delayMs }) => {
      const wasHeld = this.#lane(queue).release(token, nowMs + delayMs, count);
      this.#waiters.changed(queue);
      return wasHeld;
    });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new QueueError('E_QUEUE_CLOSED', 'this memory connection is closed');
  }

  #lane(queue: string): Lane {
    let lane = this.#lanes.get(queue);
    if (lane === undefined) {
      lane = new Lane(queue);
      this.#lanes.set(queue, lane);
    }
    return lane;
  }

  #restore({ queue, jobId, payload }: FailedJob): boolean {
    const [outcome] = this.#lane(queue).push([{ id: jobId, body: payload }], this.#clock.now());
    this.#waiters.changed(queue);
    return outcome === 'stored';
  }
}

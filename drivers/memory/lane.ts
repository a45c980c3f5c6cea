import { randomUUID } from 'node:crypto';
import type { LiveJob, NewJob, Peek, PushOutcome, QueueSize, ReservedJob } from '../../src/index.js';
import { Heap } from './heap.js';

interface StoredJob {
  readonly id: string;
  readonly body: string;
  /** Position in push order; release and unreserve keep it. */
  readonly sequence: number;
  readonly createdMs: number;
  dueMs: number;
  attempts: number;
  exceptions: number;
}

interface Held {
  readonly job: StoredJob;
  readonly sinceMs: number;
  endMs: number;
}

function isDueBefore(a: StoredJob, b: StoredJob): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}

/**
 * The jobs of one queue. Each is either in `#waiting` (ready or delayed) or in `#held` (reserved), and in
 * `#ids` all the while. Every method runs to its end in one turn of the event loop, which is what makes
 * it atomic. A lease is lost when its token is no longer in `#held`.
 */
export class Lane {
  readonly #queue: string;
  readonly #ids = new Set<string>();
  readonly #waiting = new Heap<StoredJob>(isDueBefore);
  readonly #held = new Map<string, Held>();
  /** No lease ends before this: lets a reserve skip the walk over `#held` until one may have lapsed. */
  #earliestEndMs = Number.POSITIVE_INFINITY;
  #pushed = 0;

  constructor(queue: string) {
    this.#queue = queue;
  }

  /** Stores the jobs whose id is free. */
  push(jobs: readonly NewJob[], nowMs: number): PushOutcome[] {
    // Everything that could throw, reading the jobs, comes before the first one is stored.
    const candidates = jobs.map(({ id, body, delayMs = 0, availableAtMs }) => {
      const dueMs = Math.max(nowMs, availableAtMs ?? nowMs + delayMs);
      return { id, body, dueMs, sequence: this.#pushed++, createdMs: nowMs, attempts: 0, exceptions: 0 };
    });
    return candidates.map((job) => {
      if (this.#ids.has(job.id)) return 'already-there';
      this.#ids.add(job.id);
      this.#waiting.push(job);
      return 'stored';
    });
  }

  /** Takes up to `limit` due jobs, each under a fresh lease. */
  reserve(limit: number, leaseMs: number, nowMs: number): ReservedJob[] {
    this.#takeBackLapsed(nowMs);
    const reserved: ReservedJob[] = [];
    while (reserved.length < limit) {
      const next = this.#waiting.peek();
      if (next === undefined || next.dueMs > nowMs) break;
      this.#waiting.pop();
      reserved.push(this.#hold(next, nowMs, nowMs + leaseMs));
    }
    return reserved;
  }

  /** Moves a lease's end; false where it is lost. */
  extend(token: string, endMs: number): boolean {
    const held = this.#held.get(token);
    if (held === undefined) return false;
    held.endMs = endMs;
    this.#earliestEndMs = Math.min(this.#earliestEndMs, endMs);
    return true;
  }

  /** Removes a reserved job; false where its lease is lost. */
  delete(token: string): boolean {
    const job = this.#letGo(token);
    return job !== undefined && this.#ids.delete(job.id);
  }

  /**
   * Gives a reserved job a new due time; false where its lease is lost.
   *
   * @param count how many attempts and errors are counted on top.
   */
  release(token: string, dueMs: number, count: { attempts?: number; exceptions?: number } = {}): boolean {
    const job = this.#letGo(token);
    if (job === undefined) return false;
    job.dueMs = dueMs;
    job.attempts += count.attempts ?? 0;
    job.exceptions += count.exceptions ?? 0;
    this.#waiting.push(job);
    return true;
  }

  /** Puts a reserved job back where it was, with the attempt unspent; false where its lease is lost. */
  unreserve(token: string): boolean {
    const job = this.#letGo(token);
    if (job === undefined) return false;
    job.attempts -= 1;
    this.#waiting.push(job);
    return true;
  }

  holds(token: string): boolean {
    return this.#held.has(token);
  }

  size(nowMs: number): QueueSize {
    let ready = 0;
    for (const job of this.#waiting) if (job.dueMs <= nowMs) ready += 1;
    let lapsed = 0;
    for (const held of this.#held.values()) if (held.endMs <= nowMs) lapsed += 1;
    const delayed = this.#waiting.length - ready;
    return { ready: ready + lapsed, delayed, reserved: this.#held.size - lapsed };
  }

  /** Looks at jobs of one state without taking them. */
  peek({ state, limit, offset = 0 }: Peek, nowMs: number): LiveJob[] {
    this.#takeBackLapsed(nowMs);
    const lookedAt =
      state === 'reserved'
        ? [...this.#held.values()].sort((a, b) => a.endMs - b.endMs).map((held) => this.#heldJob(held))
        : [...this.#waiting]
            .filter(({ dueMs }) => dueMs <= nowMs === (state === 'ready'))
            .sort((a, b) => (isDueBefore(a, b) ? -1 : 1))
            .map((job) => this.#waitingJob(job, nowMs));
    return lookedAt.slice(offset, offset + limit);
  }

  /** The job of an id, or null. */
  find(id: string, nowMs: number): LiveJob | null {
    this.#takeBackLapsed(nowMs);
    for (const held of this.#held.values()) if (held.job.id === id) return this.#heldJob(held);
    for (const job of this.#waiting) if (job.id === id) return this.#waitingJob(job, nowMs);
    return null;
  }

  /** How long the job that is due longest has been due; null where none is. */
  longestWaitMs(nowMs: number): number | null {
    this.#takeBackLapsed(nowMs);
    const first = this.#waiting.peek();
    return first === undefined || first.dueMs > nowMs ? null : nowMs - first.dueMs;
  }

  /** Removes what waits, and what is reserved when asked to; answers what went. */
  clear(alsoReserved: boolean, nowMs: number): QueueSize {
    this.#takeBackLapsed(nowMs);
    const { ready, delayed, reserved } = this.size(nowMs);
    for (const job of this.#waiting) this.#ids.delete(job.id);
    this.#waiting.clear();
    if (!alsoReserved) return { ready, delayed, reserved: 0 };
    this.#ids.clear();
    this.#held.clear();
    return { ready, delayed, reserved };
  }

  /** When to look for a due job again. May be too early (that lease was settled since), never too late. */
  nextLookMs(): number {
    return Math.min(this.#waiting.peek()?.dueMs ?? Number.POSITIVE_INFINITY, this.#earliestEndMs);
  }

  #waitingJob({ createdMs, dueMs, ...job }: StoredJob, nowMs: number): LiveJob {
    const state = dueMs <= nowMs ? 'ready' : 'delayed';
    const { id, body, attempts, exceptions } = job;
    const times = { createdAtMs: createdMs, dueAtMs: dueMs, reservedAtMs: null, leaseEndsAtMs: null };
    return { id, queue: this.#queue, state, body, attempts, exceptions, ...times };
  }

  #heldJob({ job, sinceMs, endMs }: Held): LiveJob {
    const waiting = this.#waitingJob(job, sinceMs);
    return { ...waiting, state: 'reserved', reservedAtMs: sinceMs, leaseEndsAtMs: endMs };
  }

  #hold(job: StoredJob, sinceMs: number, endMs: number): ReservedJob {
    const { id, body, exceptions } = job;
    const token = randomUUID();
    job.attempts += 1;
    this.#held.set(token, { job, sinceMs, endMs });
    this.#earliestEndMs = Math.min(this.#earliestEndMs, endMs);
    const lease = { queue: this.#queue, token, handle: id };
    return { id, queue: this.#queue, body, attempts: job.attempts, exceptions, lease };
  }

  #letGo(token: string): StoredJob | undefined {
    const held = this.#held.get(token);
    this.#held.delete(token);
    return held?.job;
  }

  /**
   * Makes jobs whose lease has lapsed wait again, due since it lapsed. Until this runs, the old holder may
   * still settle: nobody else has the job, so that saves a second run.
   */
  #takeBackLapsed(nowMs: number): void {
    if (nowMs < this.#earliestEndMs) return;
    this.#earliestEndMs = Number.POSITIVE_INFINITY;
    for (const [token, { endMs }] of this.#held) {
      if (endMs <= nowMs) {
        this.release(token, endMs);
      } else {
        this.#earliestEndMs = Math.min(this.#earliestEndMs, endMs);
      }
    }
  }
}

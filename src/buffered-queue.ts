/// <reference lib="esnext.disposable" preserve="true" />
import { BufferLane } from './buffer-lane.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { jobOfPlan, type Pushable, planPush } from './prepare-push.js';
import type { PreparedJob, PushOptions } from './push.js';
import type { QueueCore } from './queue-core.js';
import { shown } from './shown.js';
import { storeAll, storeOne } from './store-jobs.js';
import { tracePush } from './tracing.js';

/** How a {@link BufferedQueue} gathers jobs. */
export interface BufferOptions {
  /** How many jobs are held in memory at most. Default 10,000. */
  readonly size?: number;
  /** How many jobs of one queue go to the store together at most. Default 250. */
  readonly batch?: number;
  /** How long a job waits for others to go with. Default `'5ms'`. */
  readonly linger?: Duration;
  /** What a push does while the buffer is full: `'wait'` for room (the default), or `'reject'` with `E_BUFFER_FULL`. */
  readonly whenFull?: 'wait' | 'reject';
  /** How long a batch is tried again while its store is away. Default `'30s'`. */
  readonly retryFor?: Duration;
}

/** A job that is in the buffer. */
export interface BufferedJob {
  readonly id: string;
  /**
   * Resolves once the job is in its store; rejects where it is not, or where nobody knows (`ambiguous` on the error says
   * so). Need not be awaited: what is not stored is logged too.
   */
  readonly stored: Promise<void>;
}

const optionNames = ['size', 'batch', 'linger', 'whenFull', 'retryFor'];

/**
 * Takes jobs into memory and stores them in batches. What is in memory is lost where the process is killed, crashes or
 * calls `process.exit`; a process that ends by itself sends it first. Made by `queue.buffered`.
 */
export class BufferedQueue {
  readonly #core: QueueCore;
  readonly #connection: string;
  readonly #size: number;
  readonly #whenFull: 'wait' | 'reject';
  readonly #lane: { readonly batchSize: number; readonly lingerMs: number; readonly retryForMs: number };
  readonly #lanes = new Map<string, BufferLane>();
  readonly #waitingForRoom: { resolve(): void; reject(error: unknown): void }[] = [];
  #held = 0;
  #isClosed = false;

  /** @internal */
  constructor(core: QueueCore, connection: string, options: BufferOptions) {
    assertOptions(options);
    const { size = 10_000, batch = 250, linger = '5ms', whenFull = 'wait', retryFor = '30s' } = options;
    this.#core = core;
    this.#connection = connection;
    this.#size = wholeFrom1(size, 'size');
    this.#whenFull = whenFull;
    this.#lane = {
      batchSize: wholeFrom1(batch, 'batch'),
      lingerMs: durationToMs(linger, 'linger'),
      retryForMs: durationToMs(retryFor, 'retryFor'),
    };
  }

  /** How many jobs are in memory now. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes a job into the buffer, checked and encoded as it is now; resolves when there is room for it.
   *
   * @throws QueueError for a job, data or option that cannot be; `E_BUFFER_FULL` where it does not wait for room;
   * `E_QUEUE_CLOSED` after `close`.
   */
  push(job: Pushable, data?: unknown, options: PushOptions = {}): Promise<BufferedJob> {
    const core = this.#core;
    return new Promise((resolve, reject) => {
      const stored = tracePush(core.config.tracing, async (trace) => {
        const nowMs = core.clock.now();
        const plan = planPush(core, this.#connection, job, options, nowMs, trace.context);
        const { connection } = plan;
        const prepared = await jobOfPlan(plan, data, nowMs);
        const { id } = prepared.job;
        trace.describe({ connection, queue: prepared.queue, name: prepared.name, ids: [id] });
        await this.#room();
        const done = this.#add(connection, prepared);
        resolve({ id, stored });
        await done;
      });
      // Nobody need wait for it; before the job is in the buffer the push itself rejects.
      stored.catch(reject);
    });
  }

  /** Sends what is in the buffer, and resolves once the fate of each of these jobs is known. Never rejects. */
  async flush(): Promise<void> {
    while (this.#held > 0) await Promise.all([...this.#lanes.values()].map((lane) => lane.flush()));
  }

  /** Takes no more jobs, and sends those that it has. Takes as long as `retryFor` where the store is away. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waitingForRoom.splice(0)) reject(closed());
    await this.flush();
    this.#core.buffers.delete(this);
  }

  /** Closes it at the end of a block, where it was made with `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #room(): Promise<void> {
    if (this.#isClosed) throw closed();
    if (this.#held < this.#size && this.#waitingForRoom.length === 0) {
      this.#held += 1;
      return;
    }
    if (this.#whenFull === 'reject') {
      throw new QueueError('E_BUFFER_FULL', `${this.#size} jobs wait in memory already`, {
        fix: 'Push less or slower, raise size, or let pushes wait with whenFull: "wait".',
        transient: true,
      });
    }
    // Whoever leaves hands over its place.
    await new Promise<void>((resolve, reject) => this.#waitingForRoom.push({ resolve, reject }));
  }

  #left(): void {
    const next = this.#waitingForRoom.shift();
    if (next) next.resolve();
    else this.#held -= 1;
  }

  #add(connection: string, prepared: PreparedJob): Promise<void> {
    const stored = new Promise<void>((resolve, reject) => {
      this.#laneOf(connection, prepared.queue).add({ prepared, resolve, reject });
    });
    return stored.finally(() => this.#left());
  }

  #laneOf(connection: string, queue: string): BufferLane {
    const key = JSON.stringify([connection, queue]);
    const known = this.#lanes.get(key);
    if (known) return known;
    const core = this.#core;
    // A job of an inline connection runs as it is pushed, and its error is its own.
    const inline = core.connections.connector(connection).inline ?? false;
    const lane = new BufferLane({
      ...this.#lane,
      ...(inline && { batchSize: 1, retryForMs: 0 }),
      store: ([first, ...rest]) =>
        inline
          ? storeOne(core, connection, first as PreparedJob)
          : storeAll(core, connection, queue, [first as PreparedJob, ...rest]),
      onLost: (error, jobs) => {
        const ids = jobs.slice(0, 10).map(({ prepared }) => prepared.job.id);
        core.logger.error(
          { err: error, connection, queue, ids },
          `${jobs.length} buffered jobs were not stored`,
        );
      },
    });
    this.#lanes.set(key, lane);
    return lane;
  }
}

function closed(): QueueError {
  return new QueueError('E_QUEUE_CLOSED', 'the buffer was closed');
}

function assertOptions(options: BufferOptions): void {
  const unknown = Object.keys(options).filter((name) => !optionNames.includes(name));
  if (unknown.length > 0) {
    throw new QueueError('E_CONFIG', `buffered: there is no option ${unknown.join(', ')}`, {
      fix: `The options are ${optionNames.join(', ')}.`,
    });
  }
  const { whenFull = 'wait' } = options;
  if (whenFull !== 'wait' && whenFull !== 'reject') {
    throw new QueueError('E_CONFIG', `buffered: whenFull is ${shown(whenFull)}`, {
      fix: "Use 'wait' or 'reject'.",
    });
  }
}

function wholeFrom1(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new QueueError('E_CONFIG', `buffered: ${name}: ${shown(value)} is not a whole number from 1 up`);
}

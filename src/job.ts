import type { ReservedJob } from './connector.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import type { JobState, JobVerbs } from './job-verbs.js';
import type { JobFields } from './logger.js';
import type { Payload } from './payload.js';

/**
 * A job while a worker holds it: what handlers are given, whatever the store.
 *
 * `delete`, `release` and `fail` settle it: they take effect when called, and only the first of them may
 * be called. A handler that settles nothing leaves it to the worker (see `ack` of the job).
 */
export class Job<Data = unknown> {
  /** The name of the connection that the job came from. */
  readonly connection: string;
  readonly #reserved: ReservedJob;
  readonly #payload: Payload;
  readonly #verbs: JobVerbs;
  #state: JobState = 'open';
  #releaseDelayMs: number | null = null;
  #settling: Promise<unknown> | undefined;
  #fired = false;
  // Made when somebody asks for the signal: most handlers never do.
  #controller: AbortController | undefined;
  #abortReason: QueueError | undefined;
  #onAbort: (() => void) | undefined;

  constructor(reserved: ReservedJob, payload: Payload, connection: string, verbs: JobVerbs) {
    this.#reserved = reserved;
    this.#payload = payload;
    this.connection = connection;
    this.#verbs = verbs;
  }

  get id(): string {
    return this.#reserved.id;
  }

  /** The wire name, with `@method` where the payload names one. */
  get name(): string {
    return this.#payload.job;
  }

  get queue(): string {
    return this.#reserved.queue;
  }

  /** The user's part of the payload, as it was pushed. */
  get data(): Data {
    return this.#payload.data as Data;
  }

  /** Deliveries so far, including this one: 1 on the first run. */
  attempts(): number {
    return this.#reserved.attempts;
  }

  /** The decoded body: think-queue's fields and ours. */
  payload(): Payload {
    return this.#payload;
  }

  /**
   * Aborts with a `QueueError` as reason: `E_TIMEOUT`, `E_LEASE_LOST`, or `E_STOPPED` when a stopping
   * worker's patience ends. Hand it to fetch, timers and database calls.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason && !this.#controller.signal.aborted) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  /** Removes the job: its work is done, or no longer needed. */
  delete(): Promise<void> {
    return handled(this.#settle('deleted', () => this.#verbs.delete()));
  }

  /**
   * Removes the job inside a transaction of yours: its work and its end are committed together, or not at all. Call
   * it in the transaction that does the work, and let the handler throw if that does not commit: the job is then
   * tried again like any that throws.
   *
   * @param transaction a knex transaction on the database that the job is in.
   * @throws QueueError `E_LEASE_LOST` where another worker has the job: throw it on, so that the transaction rolls
   * back. `E_UNSUPPORTED` where the store knows no transactions.
   */
  deleteIn(transaction: object): Promise<void> {
    return handled(this.#settle('deleted-in', () => this.#verbs.deleteIn(transaction)));
  }

  /**
   * Gives the job back to its queue, due after a delay (seconds, or text such as `'5m'`). The attempt counts.
   * Default: due at once.
   */
  release(delay: Duration = 0): Promise<void> {
    return handled(this.#release(delay));
  }

  async #release(delay: Duration): Promise<void> {
    const delayMs = durationToMs(delay, 'release delay');
    await this.#settle('released', () => this.#verbs.release(delayMs));
    this.#releaseDelayMs = delayMs;
  }

  /** Gives the job up: on record among the failed jobs, then deleted, then its `failed` hook runs. */
  fail(error: unknown = new Error(`job ${this.name} was failed by its handler`)): Promise<void> {
    return handled(this.#settle('failed', () => this.#verbs.fail(error)));
  }

  /** True once `delete` or `fail` was called. */
  isDeleted(): boolean {
    return ['deleted', 'deleted-in', 'failed'].includes(this.#state);
  }

  isReleased(): boolean {
    return this.#state === 'released';
  }

  hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** The delay that `release` was called with, in ms, or null. */
  get releaseDelayMs(): number | null {
    return this.#releaseDelayMs;
  }

  /**
   * Runs the job's handler. The worker calls it, once.
   *
   * @throws QueueError `E_JOB_ALREADY_FIRED` on a second call.
   */
  async fire(): Promise<void> {
    await this.begin();
  }

  /** What is said of the job on each log line and event. */
  get fields(): JobFields {
    return fieldsOf(this.#reserved, this.name, this.connection);
  }

  /** @internal `fire` without a promise of its own: answers what the handler returns, and throws what it throws. */
  begin(): unknown {
    if (this.#fired) {
      throw new QueueError('E_JOB_ALREADY_FIRED', `job ${this.name} (${this.id}) runs already`);
    }
    this.#fired = true;
    return this.#verbs.run();
  }

  /** @internal The state; of a job that its handler is settling, only `settledState` is sure. */
  get state(): JobState {
    return this.#state;
  }

  /** @internal Whether a verb was called, which may be under way. */
  get wasSettling(): boolean {
    return this.#settling !== undefined;
  }

  /** @internal The state, once a verb that the handler did not await has ended. */
  async settledState(): Promise<JobState> {
    await this.#settling?.catch(() => {});
    return this.#state;
  }

  /** @internal Ends the handler's right to settle, so that the attempt can. */
  close(): void {
    if (this.#state === 'open') this.#state = 'closed';
  }

  /** @internal Aborts the signal; the first reason stands. */
  abort(reason: QueueError): void {
    if (this.#abortReason) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    this.#onAbort?.();
  }

  /** @internal Why the job was aborted. */
  get abortReason(): QueueError | undefined {
    return this.#abortReason;
  }

  /** @internal Calls back on abort without the cost of a signal. */
  onAbort(listener: () => void): void {
    this.#onAbort = listener;
    if (this.#abortReason) listener();
  }

  async #settle(state: JobState, verb: () => Promise<boolean>): Promise<void> {
    if (this.#state === 'lost') throw leaseLost(this.fields);
    if (this.#state !== 'open') {
      const error = new QueueError(
        'E_JOB_ALREADY_SETTLED',
        `job ${this.name} (${this.id}) is ${this.#state} already`,
        { fix: 'Call one of delete(), release() and fail(), once, before the handler ends.' },
      );
      this.#verbs.misused(error);
      throw error;
    }
    this.#state = state;
    const settling = verb();
    this.#settling = settling;
    let held: boolean;
    try {
      held = await settling;
    } catch (error) {
      this.#state = 'open'; // nothing is known to have changed: the attempt decides what to do
      throw error;
    }
    if (held) return;
    this.#state = 'lost';
    const error = leaseLost(this.fields);
    this.abort(error);
    throw error;
  }
}

/**
 * A verb that its handler did not await must not end the process when it fails: the attempt sees to the job
 * either way. Whoever awaits it gets the error.
 */
function handled(verb: Promise<void>): Promise<void> {
  verb.catch(() => {});
  return verb;
}

/** What is said on log lines and events of a job of this wire name. */
export function fieldsOf(
  { id, queue, attempts }: Pick<ReservedJob, 'id' | 'queue' | 'attempts'>,
  name: string,
  connection: string,
): JobFields {
  return { id, name, queue, connection, attempts };
}

/** The error of a worker whose job is another worker's by now. */
export function leaseLost(fields: JobFields): QueueError {
  return new QueueError(
    'E_LEASE_LOST',
    `job ${fields.name} (${fields.id}) is held by this worker no longer`,
    {
      fix: 'Nothing was changed. Its lease lapsed: keep the event loop free, or set a longer lease.',
    },
  );
}

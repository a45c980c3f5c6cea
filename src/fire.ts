import { QueueError } from './errors.js';
import type { Job } from './job.js';
import type { RunEnd } from './retry-policy.js';
import type { Rounds, Starter } from './rounds.js';
import type { Timed, Timeouts } from './timeouts.js';
import { startTimer } from './timer.js';

/** What runs are fired with. One for all of a worker. */
export interface FireContext {
  /** Absent where nobody runs beside the job: its handler is called at once. */
  readonly rounds?: Rounds | undefined;
  readonly timeouts: Timeouts;
  /** How long a handler may take to end after its signal aborted. */
  readonly defaults: { readonly graceMs: number };
}

/** A {@link RunEnd}, and the handler's promise where it goes on in spite of the abort. */
export interface FireEnd extends RunEnd {
  readonly stillRunning?: Promise<void>;
}

/** Who has a job run. */
export interface Runner {
  /** The handler is aborted for its timeout. */
  tellTimeout(timeoutMs: number): void;
  /** The handler has ended, with what it returned, where it did. */
  handlerEnded(result?: unknown): void;
  /** The last call. */
  ran(end: FireEnd): void;
}

/** How nearly all runs end. */
const returned: FireEnd = { returned: true };

/**
 * The run of a job's handler: until that ends, or until it was aborted (timeout, lost lease, stopping worker) and the
 * grace has passed. A handler that returns at once costs no promise and no timer.
 */
export class Run implements Starter, Timed {
  dueMs = 0;
  timedPlace = -1;
  readonly #job: Job;
  readonly #runner: Runner;
  readonly #context: FireContext;
  readonly #timeoutMs: number;
  #returned: unknown;
  #thrown: { readonly error: unknown } | undefined;
  #isOver = false;
  #stopGrace: (() => void) | undefined;
  /** Told when a handler ends that was waited for no longer. */
  #onLateEnd: (() => void) | undefined;

  /** @param timeoutMs 0: no limit. */
  constructor(job: Job, runner: Runner, timeoutMs: number, context: FireContext) {
    this.#job = job;
    this.#runner = runner;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
  }

  /** Calls the handler, in the next round. */
  start(): void {
    const { rounds } = this.#context;
    if (rounds) {
      rounds.add(this);
    } else {
      this.call();
      this.goOn();
    }
  }

  call(): void {
    try {
      const result = this.#job.begin();
      this.#returned = result;
      if (!mayBePromise(result)) this.#runner.handlerEnded(result);
    } catch (error) {
      this.#runner.handlerEnded();
      this.#thrown = { error };
    }
  }

  goOn(): void {
    const result = this.#returned;
    if (this.#thrown) this.#end({ returned: false, error: this.#thrown.error });
    else if (!mayBePromise(result)) this.#end(returned);
    else this.#await(Promise.resolve(result));
  }

  #await(result: Promise<unknown>): void {
    if (this.#timeoutMs > 0) this.#context.timeouts.add(this, this.#timeoutMs);
    this.#job.onAbort(() => this.#aborted());
    result.then(
      (value) => {
        this.#runner.handlerEnded(value);
        this.#end(returned);
      },
      (error: unknown) => {
        this.#runner.handlerEnded();
        this.#end({ returned: false, error });
      },
    );
  }

  timedOut(): void {
    const timeoutMs = this.#timeoutMs;
    const { name, id, abortReason } = this.#job;
    if (abortReason === undefined) this.#runner.tellTimeout(timeoutMs);
    this.#job.abort(new QueueError('E_TIMEOUT', `job ${name} (${id}) ran longer than ${timeoutMs} ms`));
  }

  #aborted(): void {
    if (this.#isOver) return;
    this.#stopGrace = startTimer(this.#context.defaults.graceMs, () => {
      const stillRunning = new Promise<void>((resolve) => {
        this.#onLateEnd = resolve;
      });
      this.#tell({ returned: false, abortedBy: this.#job.abortReason, stillRunning });
    });
  }

  #end(end: RunEnd): void {
    const { abortReason } = this.#job;
    if (this.#isOver) this.#onLateEnd?.();
    else this.#tell(abortReason === undefined ? end : { ...end, abortedBy: abortReason });
  }

  #tell(end: FireEnd): void {
    this.#isOver = true;
    this.#stopGrace?.();
    this.#context.timeouts.delete(this);
    this.#runner.ran(end);
  }
}

/** A promise, or what may be one: queries of knex run once somebody awaits them. */
function mayBePromise(value: unknown): boolean {
  return value !== null && (typeof value === 'object' || typeof value === 'function');
}

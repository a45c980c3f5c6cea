import { type Halt, isSameHalt, nothingHalted } from './controls.js';
import { describeError } from './error-text.js';
import type { QueueEvents, WorkerEvent, WorkerFields } from './events.js';
import type { StopReason } from './stop-conditions.js';

/** Tells the events of one worker, each change once. */
export class WorkerNews {
  readonly #events: QueueEvents;
  readonly #fields: WorkerFields;
  readonly #concurrency: number;
  #isIdle = false;
  #halt = nothingHalted;
  #error: { readonly thrown: unknown } | undefined;

  constructor(
    events: QueueEvents,
    connection: string,
    { queues, concurrency }: { readonly queues: readonly string[]; readonly concurrency: number },
  ) {
    this.#events = events;
    this.#fields = { pid: process.pid, connection, queues };
    this.#concurrency = concurrency;
  }

  started(): void {
    this.#tell('worker:started', () => ({ concurrency: this.#concurrency }));
  }

  /** Nothing is due and nothing runs. Told again only after jobs came in between. */
  idle(): void {
    if (this.#isIdle) return;
    this.#isIdle = true;
    this.#tell('worker:idle', () => ({}));
  }

  /** Jobs were reserved. */
  busy(): void {
    this.#isIdle = false;
  }

  /** What keeps the worker from jobs now, whoever asked for it. */
  halted(halt: Halt): void {
    if (isSameHalt(halt, this.#halt)) return;
    this.#halt = halt;
    if (isSameHalt(halt, nothingHalted)) this.#tell('worker:resumed', () => ({}));
    else this.#tell('worker:paused', () => halt);
  }

  /** The store did not answer: it is asked again after a wait. */
  storeAway(thrown: unknown, waitMs: number): void {
    this.#tell('worker:store-away', () => ({ waitMs, error: describeError(thrown) }));
  }

  /** The store answers again, after so long. */
  storeBack(awayMs: number): void {
    this.#tell('worker:store-back', () => ({ awayMs }));
  }

  /** An error ends the run. */
  broken(thrown: unknown): void {
    this.#error = { thrown };
  }

  /** The run is over, its jobs settled. */
  stopped(reason: StopReason | undefined): void {
    const error = this.#error && { error: describeError(this.#error.thrown) };
    const why: StopReason | 'error' = error ? 'error' : (reason ?? 'error');
    this.#tell('worker:stopped', () => ({ reason: why, ...error }));
  }

  #tell<Name extends WorkerEvent['event']>(
    event: Name,
    own: () => Omit<Extract<WorkerEvent, { event: Name }>, keyof WorkerFields | 'event'>,
  ): void {
    if (this.#events.isHeard(event)) this.#events.emit({ event, ...this.#fields, ...own() } as WorkerEvent);
  }
}

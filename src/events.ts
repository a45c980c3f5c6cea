import type { FailedReason } from './failed-jobs.js';
import type { JobFields, Logger } from './logger.js';

/** Text of the error that an event tells of. */
export interface EventError {
  readonly class: string;
  readonly message: string;
  readonly code?: string;
}

/** What happened to a job. The same fields stand on log lines and on the lines of `queue:work --json`. */
export type JobEvent = JobFields &
  (
    | { readonly event: 'job:started' }
    | { readonly event: 'job:done'; readonly durationMs: number }
    | { readonly event: 'job:kept'; readonly durationMs: number }
    | {
        readonly event: 'job:released';
        readonly durationMs: number;
        readonly delayMs: number;
        readonly error?: EventError;
      }
    | {
        readonly event: 'job:failed';
        readonly durationMs: number;
        readonly reason: FailedReason;
        readonly error: EventError;
      }
    | { readonly event: 'job:given-back'; readonly durationMs: number }
    | { readonly event: 'job:lost'; readonly durationMs: number }
    | { readonly event: 'job:unsettled'; readonly durationMs: number; readonly error: EventError }
  );

/** The names of events; `*` stands for all. */
export type EventName = JobEvent['event'] | '*';

type Listener = (event: JobEvent) => unknown;

/**
 * Tells listeners what happened, after it happened. Nothing depends on a listener: one that throws or
 * rejects is logged and changes nothing.
 */
export class QueueEvents {
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls `listener` on each event of the name; the function returned takes it off again. */
  on<Name extends EventName>(
    name: Name,
    listener: (event: Name extends '*' ? JobEvent : Extract<JobEvent, { event: Name }>) => unknown,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as Listener);
    return () => listeners.delete(listener as Listener);
  }

  /** @internal Whether anybody listens: events of quick jobs are many. */
  isHeard(name: JobEvent['event']): boolean {
    return (this.#listeners.get(name)?.size ?? 0) + (this.#listeners.get('*')?.size ?? 0) > 0;
  }

  /** @internal */
  emit(event: JobEvent): void {
    for (const name of [event.event, '*'] as const) {
      for (const listener of this.#listeners.get(name) ?? []) void this.#call(listener, event);
    }
  }

  async #call(listener: Listener, event: JobEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#logger.error({ event: event.event, id: event.id, err: error }, 'an event listener threw');
    }
  }
}

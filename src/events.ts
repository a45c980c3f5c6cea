import { type Channel, channel } from 'node:diagnostics_channel';
import type { Halt } from './controls.js';
import { QueueError } from './errors.js';
import type { FailedReason } from './failed-jobs.js';
import type { JobFields, Logger } from './logger.js';
import type { QueueReading } from './monitor.js';
import { shown } from './shown.js';
import type { StopReason } from './stop-conditions.js';

/** Text of the error that an event tells of. */
export interface EventError {
  readonly class: string;
  readonly message: string;
  readonly code?: string;
}

/** What happened to a job. The same fields stand on log lines and on the lines of `queue:work --json`. */
export type JobEvent = JobFields &
  (
    | { readonly event: 'job:started'; readonly waitMs?: number }
    | { readonly event: 'job:exception'; readonly durationMs: number; readonly error: EventError }
    | { readonly event: 'job:timed-out'; readonly durationMs: number; readonly timeoutMs: number }
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

/** The events in the middle of an attempt: one of the others, but `job:started`, still comes. */
type InBetween = 'job:exception' | 'job:timed-out';

/** How an attempt ended: the last event of it. */
export type JobEndEvent = Exclude<JobEvent, { event: 'job:started' | InBetween }>;

/** What is said of a worker on each of its events. */
export interface WorkerFields {
  readonly pid: number;
  readonly connection: string;
  /** The queues that it serves, the first before the second. */
  readonly queues: readonly string[];
}

/** What a worker of this process does. */
export type WorkerEvent = WorkerFields &
  (
    | { readonly event: 'worker:started'; readonly concurrency: number }
    | { readonly event: 'worker:idle' }
    | ({ readonly event: 'worker:paused' } & Halt)
    | { readonly event: 'worker:resumed' }
    | { readonly event: 'worker:store-away'; readonly waitMs: number; readonly error: EventError }
    | { readonly event: 'worker:store-back'; readonly awayMs: number }
    | { readonly event: 'worker:stopped'; readonly reason: StopReason | 'error'; readonly error?: EventError }
  );

/** A queue with more jobs than it shall have, as `queue.monitor` found it. */
export type BusyEvent = QueueReading & { readonly event: 'queue:busy'; readonly max: number };

/** Jobs that this process pushed, those that one call stored in one queue. */
export interface PushedEvent {
  readonly event: 'queue:pushed';
  readonly connection: string;
  readonly queue: string;
  readonly jobs: readonly { readonly id: string; readonly name: string }[];
}

/** Everything that listeners hear of. */
export type QueueEvent = JobEvent | WorkerEvent | BusyEvent | PushedEvent;

/** The names of events; `job:*` and `worker:*` stand for all of a kind, `*` for all. */
export type EventName = QueueEvent['event'] | 'job:*' | 'worker:*' | '*';

/** The event that a listener of a name is given. */
export type EventOf<Name extends EventName> = Name extends '*'
  ? QueueEvent
  : Name extends 'job:*'
    ? JobEvent
    : Name extends 'worker:*'
      ? WorkerEvent
      : Extract<QueueEvent, { event: Name }>;

/** As {@link EventName} has them, to check what is written in JavaScript. */
const eventNames: { readonly [Name in EventName]: true } = {
  'job:started': true,
  'job:exception': true,
  'job:timed-out': true,
  'job:done': true,
  'job:kept': true,
  'job:released': true,
  'job:failed': true,
  'job:given-back': true,
  'job:lost': true,
  'job:unsettled': true,
  'worker:started': true,
  'worker:idle': true,
  'worker:paused': true,
  'worker:resumed': true,
  'worker:store-away': true,
  'worker:store-back': true,
  'worker:stopped': true,
  'queue:busy': true,
  'queue:pushed': true,
  'job:*': true,
  'worker:*': true,
  '*': true,
};

type Listener = (event: QueueEvent) => unknown;

/** Whether an event is the last one of its job's attempt. */
export function endsAttempt(event: JobEvent): event is JobEndEvent {
  return event.event !== 'job:started' && event.event !== 'job:exception' && event.event !== 'job:timed-out';
}

/**
 * Tells listeners what happened, after it happened. Nothing depends on a listener and nothing waits for one: one that
 * throws or rejects is logged and changes nothing. Subscribers of the diagnostics channel `drover:<event>` are told, too.
 */
export class QueueEvents {
  readonly #listeners = new Map<EventName, Set<Listener>>();
  /** Whether each event is listened for, as far as somebody has asked since the last change. */
  readonly #listenedFor = new Map<QueueEvent['event'], boolean>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Calls `listener` on each event of the name; the function returned takes it off again.
   *
   * @throws QueueError `E_CONFIG` for a name that no event has, and for what is no function.
   */
  on<Name extends EventName>(name: Name, listener: (event: EventOf<Name>) => unknown): () => void {
    assertListener(name, listener);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as Listener);
    this.#listenedFor.clear();
    return () => {
      listeners.delete(listener as Listener);
      this.#listenedFor.clear();
    };
  }

  /** @internal Whether anybody listens: events of quick jobs are many, and nobody pays for those unheard. */
  isHeard(name: QueueEvent['event']): boolean {
    return (
      (this.#listenedFor.get(name) ?? this.#lookForListeners(name)) || routeOf(name).toldOn.hasSubscribers
    );
  }

  #lookForListeners(name: QueueEvent['event']): boolean {
    const isListenedFor = routeOf(name).names.some((one) => (this.#listeners.get(one)?.size ?? 0) > 0);
    this.#listenedFor.set(name, isListenedFor);
    return isListenedFor;
  }

  /** @internal */
  emit(event: QueueEvent): void {
    const { names, toldOn } = routeOf(event.event);
    for (const name of names) {
      for (const listener of this.#listeners.get(name) ?? []) this.#call(listener, event);
    }
    if (toldOn.hasSubscribers) toldOn.publish(event);
  }

  #call(listener: Listener, event: QueueEvent): void {
    try {
      const answer = listener(event);
      if (typeof answer === 'object' && answer !== null)
        Promise.resolve(answer).catch((error: unknown) => this.#threw(event, error));
    } catch (error) {
      this.#threw(event, error);
    }
  }

  #threw(event: QueueEvent, error: unknown): void {
    const about = 'id' in event ? { id: event.id } : {};
    this.#logger.error({ event: event.event, ...about, err: error }, 'an event listener threw');
  }
}

/** A listener that is never called is a mistake. */
function assertListener(name: string, listener: unknown): void {
  if (!Object.hasOwn(eventNames, name)) {
    throw new QueueError('E_CONFIG', `events.on: there is no event ${name}`, {
      fix: `The events are ${Object.keys(eventNames).join(', ')}.`,
    });
  }
  if (typeof listener === 'function') return;
  throw new QueueError('E_CONFIG', `events.on: ${shown(listener)} is not a function`, {
    fix: `Write events.on('${name}', (event) => …).`,
  });
}

const jobNames = ['job:*', '*'] as const;
const workerNames = ['worker:*', '*'] as const;
const otherNames = ['*'] as const;
const known = new Map<QueueEvent['event'], Route>();

/** Where an event is told. */
interface Route {
  /** The names that it is listened for under, its own first. */
  readonly names: readonly EventName[];
  /** Node forgets a channel that nobody holds. */
  readonly toldOn: Channel;
}

function routeOf(name: QueueEvent['event']): Route {
  let route = known.get(name);
  if (route === undefined) {
    const wider = name.startsWith('job:') ? jobNames : name.startsWith('worker:') ? workerNames : otherNames;
    route = { names: [name, ...wider], toldOn: channel(`drover:${name}`) };
    known.set(name, route);
  }
  return route;
}

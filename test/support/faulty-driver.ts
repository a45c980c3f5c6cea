import {
  type Connector,
  type Driver,
  pausedKey,
  QueueError,
  silentLogger,
  systemClock,
} from '../../src/index.js';

type Verb =
  | Exclude<
      keyof Connector,
      | 'failedJobs'
      | 'signals'
      | 'workers'
      | 'statistics'
      | 'history'
      | 'inline'
      | 'prefetch'
      | 'migrate'
      | 'schemaSql'
      | 'pushIn'
      | 'deleteIn'
    >
  | `failedJobs.${'record' | 'list' | 'find' | 'forget' | 'flush' | 'retry'}`
  | `signals.${'read' | 'write'}`
  /** A read of what is paused: workers look at it beside the restart signal. */
  | 'signals.read paused'
  | `workers.${'beat' | 'list' | 'leave'}`
  | `statistics.${'put' | 'read' | 'replace'}`
  | `history.${'add' | 'list' | 'find' | 'prune'}`;

/** Stands between a caller and one call of a verb: passes it on, or does not. */
type Fault = (call: () => Promise<unknown>) => Promise<unknown>;

/** What a store says that may be back soon. */
export function storeAway(): QueueError {
  return new QueueError('E_STORE_UNAVAILABLE', 'the store is away', { transient: true });
}

/** What is said of a store whose reply did not come. */
function replyLost(): QueueError {
  return new QueueError('E_STORE_UNAVAILABLE', 'no reply from the store', {
    transient: true,
    ambiguous: true,
  });
}

/** What a store says that will not mend by itself. */
export function storeCorrupt(): QueueError {
  return new QueueError('E_STORE_CORRUPT', 'the store is corrupt');
}

/** Tells a faulty driver which calls go wrong, and how. Every verb works until told otherwise. */
class Faults {
  readonly #queued = new Map<string, Fault[]>();
  readonly #away = new Set<string>();
  readonly #calls = new Map<string, number>();
  #watchers: { verb: Verb; count: number; seen(): void }[] = [];

  /** The next calls of a verb throw, and the store never sees them. */
  refuse(verb: Verb, error: Error = storeAway(), times = 1): void {
    for (let time = 0; time < times; time++) this.next(verb, () => Promise.reject(error));
  }

  /** The store carries out the next call of a verb, and its reply is lost. */
  cut(verb: Verb, error: Error = replyLost()): void {
    this.next(verb, async (call) => {
      await call();
      throw error;
    });
  }

  /** The next call of a verb waits at the store's door until `letGo`. */
  hold(verb: Verb): { readonly reached: Promise<void>; letGo(): void } {
    let letGo = (): void => {};
    const gone = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this.next(verb, async (call) => {
        resolve();
        await gone;
        return call();
      });
    });
    return { reached, letGo };
  }

  /** What happens to the next call of a verb that has no fault yet. */
  next(verb: Verb, fault: Fault): void {
    const queued = this.#queued.get(verb) ?? [];
    this.#queued.set(verb, queued);
    queued.push(fault);
  }

  /** From now on these verbs throw as a store does that cannot be reached. */
  away(...verbs: Verb[]): void {
    for (const verb of verbs) this.#away.add(verb);
  }

  /** The store can be reached again. */
  back(): void {
    this.#away.clear();
  }

  /** How often a verb was called so far. */
  calls(verb: Verb): number {
    return this.#calls.get(verb) ?? 0;
  }

  /** Resolves when a verb has been called for the `count`th time from now on. */
  called(verb: Verb, count = 1): Promise<void> {
    return new Promise((seen) => this.#watchers.push({ verb, count: this.calls(verb) + count, seen }));
  }

  /** @internal */
  async meet(verb: Verb, call: () => Promise<unknown>): Promise<unknown> {
    this.#count(verb);
    const fault = this.#queued.get(verb)?.shift();
    if (fault) return fault(call);
    if (this.#away.has(verb)) throw storeAway();
    return call();
  }

  #count(verb: Verb): void {
    const count = this.calls(verb) + 1;
    this.#calls.set(verb, count);
    const isDue = (watcher: { verb: Verb; count: number }) => watcher.verb === verb && watcher.count <= count;
    for (const watcher of this.#watchers.filter(isDue)) watcher.seen();
    this.#watchers = this.#watchers.filter((watcher) => !isDue(watcher));
  }
}

/** A driver whose store works as told, and can be looked at behind the back of its faults. */
export interface FaultyDriver extends Driver {
  readonly faults: Faults;
  /** The same store without faults: what another process would see of it. Give the driver a clock of its own. */
  readonly store: Connector;
}

/**
 * Wraps a driver whose store then does what its `faults` say.
 *
 * @param without Capabilities that the store shall lack.
 */
export function faulty(driver: Driver, without: readonly (keyof Connector)[] = []): FaultyDriver {
  const faults = new Faults();
  let store: Connector | undefined;
  return {
    ...driver,
    faults,
    get store(): Connector {
      store ??= driver.connect({
        connection: 'faulty',
        clock: systemClock,
        logger: silentLogger,
        runInline: () => Promise.reject(new Error('not an inline driver')),
      });
      return store;
    },
    connect(context) {
      store ??= driver.connect(context);
      return wrap(store, '', faults, without);
    },
  };
}

/** What a connector has verbs of their own in. */
const parts: readonly string[] = ['failedJobs', 'signals', 'workers', 'statistics', 'history'];

function wrap<Verbs extends object>(
  verbs: Verbs,
  prefix: string,
  faults: Faults,
  without: readonly PropertyKey[],
): Verbs {
  return new Proxy(verbs, {
    get(target, name) {
      if (without.includes(name)) return undefined;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof name === 'string' && parts.includes(name)) {
        return value && wrap(value as object, `${name}.`, faults, []);
      }
      if (typeof value !== 'function') return value;
      const verb = `${prefix}${String(name)}` as Verb;
      return (...given: unknown[]) => {
        const met = verb === 'signals.read' && given[0] === pausedKey ? 'signals.read paused' : verb;
        return faults.meet(met, async () => Reflect.apply(value as () => unknown, target, given));
      };
    },
  });
}

import type { FaultEvent, LedgerRules } from './events.js';
import type { JobStory, Ledger, Run } from './ledger.js';

type Kind = FaultEvent['fault'];

/** What explains that a job runs again though it finished: all but an orderly stop. */
const excuses: readonly Kind[] = ['kill', 'death', 'stop', 'outage', 'network', 'failover'];
/** What everybody feels. */
const everywhere: readonly Kind[] = ['outage', 'network', 'failover'];
/** All that may take a job from who had it, or keep it from being taken. */
export const anyFault: readonly Kind[] = [...excuses, 'term'];

/** How long after its end a run may not be settled yet, where workers do not say when. */
const settlingMs = 1000;

/** How long after a process goes on it may call a handler that it was about to call when it was stopped. */
const wakingMs = 500;

/** The faults of a ledger, to be asked what they explain. */
export class Causes {
  readonly #byPid = new Map<number, FaultEvent[]>();
  readonly #global: FaultEvent[] = [];
  readonly #all: readonly FaultEvent[];
  readonly #settlingMs: number;
  readonly #pushAgainMs: number;
  /** Extended every third of it, a lease has two thirds left at least when its holder goes away. */
  readonly leaseLeftMs: number;

  constructor(
    { faults, runs }: Pick<Ledger, 'faults' | 'runs'>,
    rules: Pick<LedgerRules, 'leaseMs' | 'pushAgainMs'>,
  ) {
    const { leaseMs, pushAgainMs = Number.POSITIVE_INFINITY } = rules;
    this.#all = faults;
    this.#pushAgainMs = pushAgainMs;
    this.leaseLeftMs = 0.6 * leaseMs;
    this.#settlingMs = runs.some((run) => run.settledMs !== undefined) ? leaseMs : settlingMs;
    for (const fault of faults) {
      if (fault.pids === undefined) this.#global.push(fault);
      for (const pid of fault.pids ?? []) {
        const list = this.#byPid.get(pid);
        if (list) list.push(fault);
        else this.#byPid.set(pid, [fault]);
      }
    }
  }

  /**
   * The faults that met a run before it was settled, and that may bring its job back.
   *
   * @param nextMs when it was back: what comes after that has not brought it back.
   */
  ofRun(run: Run, nextMs = Number.POSITIVE_INFINITY, kinds: readonly Kind[] = excuses): FaultEvent[] {
    const own = [run.pid, run.parent].flatMap((pid) =>
      pid === undefined ? [] : (this.#byPid.get(pid) ?? []),
    );
    const settledMs = run.settledMs ?? run.endedMs + this.#settlingMs;
    const toMs = Math.min(nextMs, run.end === undefined ? Number.POSITIVE_INFINITY : settledMs);
    // One that met a process and its parent is one.
    return [...new Set([...own, ...this.#global])].filter(
      (fault) => kinds.includes(fault.fault) && meets(fault, run.startedMs, toMs),
    );
  }

  /**
   * True where the process of a run had stood still right before its start, for so long that its lease was gone: it was
   * about to call the handler when it was stopped. Nothing can be between a last look at the lease and the call.
   */
  wokeLate({ pid, startedMs }: Run): boolean {
    const own = this.#byPid.get(pid) ?? [];
    return own.some(
      ({ fault, fromMs, toMs }) =>
        fault === 'stop' &&
        toMs - fromMs >= this.leaseLeftMs &&
        toMs <= startedMs &&
        startedMs - toMs <= wakingMs,
    );
  }

  /** The faults of all processes between two moments. */
  between(fromMs: number, toMs: number, kinds: readonly Kind[] = everywhere): FaultEvent[] {
    return this.#global.filter((fault) => kinds.includes(fault.fault) && meets(fault, fromMs, toMs));
  }

  /** All faults between two moments, of whatever process. */
  anyBetween(fromMs: number, toMs: number, kinds: readonly Kind[]): FaultEvent[] {
    return this.#all.filter((fault) => kinds.includes(fault.fault) && meets(fault, fromMs, toMs));
  }

  /** True where the job may have been stored anew after it was done: its push was repeated, or its reply lost or late. */
  mayBePushedAgain({ pushes }: JobStory): boolean {
    const isSentAgain = ({ fromMs, toMs }: JobStory['pushes'][number]) =>
      toMs - fromMs >= this.#pushAgainMs || this.between(fromMs, toMs).length > 0;
    return pushes.length > 1 || pushes.some(isSentAgain);
  }
}

/** How long at least one of the faults went on. */
export function lengthOf(faults: readonly FaultEvent[]): number {
  let length = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const { fromMs, toMs } of [...faults].sort((a, b) => a.fromMs - b.fromMs)) {
    if (toMs <= endMs) continue;
    length += toMs - Math.max(fromMs, endMs);
    endMs = toMs;
  }
  return length;
}

function meets(fault: FaultEvent, fromMs: number, toMs: number): boolean {
  return fault.fromMs <= toMs && fault.toMs >= fromMs;
}

import type { FaultEvent } from './events.js';
import type { JobStory, Ledger, Run } from './ledger.js';

type Kind = FaultEvent['fault'];

/** What explains that a job runs again though it finished: all but an orderly stop. */
const excuses: readonly Kind[] = ['kill', 'death', 'stop', 'outage', 'network'];
/** What everybody feels. */
const everywhere: readonly Kind[] = ['outage', 'network'];

/** How long after its end a run may not be settled yet. */
const settlingMs = 1000;

/** The faults of a ledger, to be asked what they explain. */
export class Causes {
  readonly #byPid = new Map<number, FaultEvent[]>();
  readonly #global: FaultEvent[] = [];
  readonly #all: readonly FaultEvent[];

  constructor({ faults }: Pick<Ledger, 'faults'>) {
    this.#all = faults;
    for (const fault of faults) {
      if (fault.pids === undefined) this.#global.push(fault);
      for (const pid of fault.pids ?? []) {
        const list = this.#byPid.get(pid);
        if (list) list.push(fault);
        else this.#byPid.set(pid, [fault]);
      }
    }
  }

  /** The faults that met a run before it could be settled, and that may bring its job back. */
  ofRun(run: Run, kinds: readonly Kind[] = excuses): FaultEvent[] {
    const own = [run.pid, run.parent].flatMap((pid) =>
      pid === undefined ? [] : (this.#byPid.get(pid) ?? []),
    );
    const toMs = run.end === undefined ? Number.POSITIVE_INFINITY : run.endedMs + settlingMs;
    // One that met a process and its parent is one.
    return [...new Set([...own, ...this.#global])].filter(
      (fault) => kinds.includes(fault.fault) && meets(fault, run.startedMs, toMs),
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

  /** True where the job may have been stored anew after it was done: its push was repeated, or its reply lost. */
  mayBePushedAgain({ pushes }: JobStory): boolean {
    return pushes.length > 1 || pushes.some(({ fromMs, toMs }) => this.between(fromMs, toMs).length > 0);
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

import type { Job, Logger, ReservedJob } from '../../src/index.js';
import type { Handler } from '../../src/registry.js';
import type { JobWatch, WorkerWatch } from '../../src/worker-watch.js';
import { JournalEntry } from './journal-entry.js';
import type { JournalWriter } from './journal-writer.js';
import { suspectName } from './protocol.js';
import { slotFrame } from './stack.js';

/** See {@link JobWatch.run}. */
type Run = JobWatch['run'];

/** What a {@link SupervisedWatch} is made with. */
export interface SupervisedWatchOptions {
  /** Whether handlers are named: where there is one slot only, nobody asks which it was. */
  readonly naming: boolean;
  /** Told before the first handler of this process starts. */
  onFirstStart(): void;
  /** Told of a suspect that ran and did not kill this process. */
  onCleared(suspect: string): void;
}

/** What a supervised worker does at each step of its jobs: writes the journal, and names handlers for stacks. */
export class SupervisedWatch implements WorkerWatch {
  /** Handlers that run now. */
  running = 0;
  readonly #journal: JournalWriter;
  readonly #options: SupervisedWatchOptions;
  readonly #free: number[] = [];
  readonly #callers: Run[] = [];
  readonly #mustRunAlone = ({ reserved }: JournalEntry) => this.isSuspect(reserved);
  #suspects: ReadonlySet<string> = new Set();

  constructor(journal: JournalWriter, options: SupervisedWatchOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Writes down now what would be written at the end of this turn. */
  flush(): void {
    this.#journal.flush();
  }

  suspect(names: readonly string[]): void {
    this.#suspects = new Set(names);
  }

  reserved(jobs: readonly ReservedJob[], bodiesInStore: boolean): JobWatch[] {
    const entries = jobs.map((job) => new SupervisedJob(job, this, this.#journal));
    this.#journal.reserved(entries, this.#mustRunAlone, bodiesInStore);
    return entries;
  }

  /** Answers the slot of a handler that starts. */
  takeSlot(): number {
    if (this.#callers.length === 0) this.#options.onFirstStart();
    this.running += 1;
    return this.#free.pop() ?? this.#callers.push(callerOf(this.#callers.length)) - 1;
  }

  freeSlot(slot: number): void {
    this.running -= 1;
    this.#free.push(slot);
  }

  isSuspect(reserved: ReservedJob): boolean {
    return this.#suspects.size > 0 && this.#suspects.has(suspectName(reserved));
  }

  cleared(reserved: ReservedJob): void {
    this.#options.onCleared(suspectName(reserved));
  }

  /** Who calls handlers in a slot; undefined where any may. */
  callerIn(slot: number): Run | undefined {
    return this.#options.naming ? this.#callers[slot] : undefined;
  }
}

/** A job of this process: what is told of it goes into its entry of the journal. */
class SupervisedJob extends JournalEntry implements JobWatch {
  readonly #watch: SupervisedWatch;
  readonly #journal: JournalWriter;

  constructor(reserved: ReservedJob, watch: SupervisedWatch, journal: JournalWriter) {
    super(reserved);
    this.#watch = watch;
    this.#journal = journal;
  }

  get mustRunAlone(): boolean {
    return this.#watch.isSuspect(this.reserved);
  }

  started(name: string, timeoutMs: number, alone: boolean, nowMs: number): void {
    this.#journal.started(this, this.#watch.takeSlot(), name, timeoutMs, alone, nowMs);
  }

  run(handler: Pick<Handler, 'run'>, job: Job, data: unknown, log: Logger): unknown {
    const caller = this.#watch.callerIn(this.slot);
    return caller ? caller(handler, job, data, log) : handler.run(job, data, log);
  }

  done(): void {
    this.#journal.done(this);
  }

  settled(): void {
    this.#journal.settled(this);
  }

  ended(): void {
    this.#journal.ended(this);
    if (this.slot === -1) return;
    this.#watch.freeSlot(this.slot);
    if (this.mustRunAlone) this.#watch.cleared(this.reserved);
  }
}

/** A function whose name tells in a stack, also behind an await, which slot's handler is under way. */
function callerOf(slot: number): Run {
  const name = { value: `${slotFrame}${slot}` };
  const awaiting = Object.defineProperty(async (result: unknown) => await result, 'name', name);
  const caller: Run = (handler, job, data, log) => {
    const result = handler.run(job, data, log);
    return typeof result === 'object' && result !== null ? awaiting(result) : result;
  };
  return Object.defineProperty(caller, 'name', name);
}

import type { ReservedJob } from '../../src/index.js';
import type { WorkerWatch } from '../../src/worker-watch.js';
import type { JournalWriter } from './journal-writer.js';
import { suspectName } from './protocol.js';
import { slotFrame } from './stack.js';

type Caller = (handler: () => unknown) => Promise<unknown>;

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
  readonly #callers: Caller[] = [];
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

  reserved(jobs: readonly ReservedJob[]): void {
    if (jobs.length > 0) this.#journal.reserved(jobs);
  }

  started(reserved: ReservedJob, name: string, timeoutMs: number): void {
    if (this.#callers.length === 0) this.#options.onFirstStart();
    const slot = this.#free.pop() ?? this.#callers.push(callerOf(this.#callers.length)) - 1;
    this.running += 1;
    this.#journal.started(reserved, slot, name, timeoutMs);
  }

  done(reserved: ReservedJob): void {
    this.#journal.done(reserved);
  }

  settled(reserved: ReservedJob): void {
    this.#journal.settled(reserved);
  }

  ended(reserved: ReservedJob): void {
    const slot = this.#journal.ended(reserved);
    if (slot === undefined) return;
    this.running -= 1;
    this.#free.push(slot);
    if (this.mustRunAlone(reserved)) this.#options.onCleared(suspectName(reserved));
  }

  mustRunAlone(reserved: ReservedJob): boolean {
    return this.#suspects.size > 0 && this.#suspects.has(suspectName(reserved));
  }

  run(reserved: ReservedJob, handler: () => unknown): unknown {
    if (!this.#options.naming) return handler();
    const slot = this.#journal.slotOf(reserved);
    const caller = slot === undefined ? undefined : this.#callers[slot];
    return caller ? caller(handler) : handler();
  }
}

/** A function whose name tells in a stack, also behind an await, which slot's handler is under way. */
function callerOf(slot: number): Caller {
  const caller = async (handler: () => unknown) => await handler();
  return Object.defineProperty(caller, 'name', { value: `${slotFrame}${slot}` });
}

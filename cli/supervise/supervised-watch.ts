import type { ReservedJob } from '../../src/index.js';
import type { WorkerWatch } from '../../src/worker-watch.js';
import type { JournalWriter } from './journal-writer.js';
import { suspectName } from './protocol.js';
import { slotFrame } from './stack.js';

type Caller = (handler: () => unknown) => Promise<unknown>;

/** What a supervised worker does at each step of its jobs: writes the journal, and names handlers for stacks. */
export class SupervisedWatch implements WorkerWatch {
  readonly #journal: JournalWriter;
  readonly #onCleared: (suspect: string) => void;
  readonly #slots = new Map<ReservedJob, number>();
  readonly #free: number[] = [];
  readonly #callers: Caller[] = [];
  #suspects: ReadonlySet<string> = new Set();

  /** @param onCleared told of a suspect that ran and did not kill this process. */
  constructor(journal: JournalWriter, onCleared: (suspect: string) => void) {
    this.#journal = journal;
    this.#onCleared = onCleared;
  }

  /** Handlers that run now. */
  get running(): number {
    return this.#slots.size;
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
    const slot = this.#free.pop() ?? this.#callers.push(callerOf(this.#callers.length)) - 1;
    this.#slots.set(reserved, slot);
    this.#journal.started(reserved, slot, name, timeoutMs);
  }

  done(reserved: ReservedJob): void {
    this.#journal.mark(reserved, 'D');
  }

  settled(reserved: ReservedJob): void {
    this.#journal.mark(reserved, 'Z');
  }

  ended(reserved: ReservedJob): void {
    this.#journal.ended(reserved);
    const slot = this.#slots.get(reserved);
    if (slot === undefined) return;
    this.#slots.delete(reserved);
    this.#free.push(slot);
    if (this.mustRunAlone(reserved)) this.#onCleared(suspectName(reserved));
  }

  mustRunAlone(reserved: ReservedJob): boolean {
    return this.#suspects.size > 0 && this.#suspects.has(suspectName(reserved));
  }

  run(reserved: ReservedJob, handler: () => unknown): unknown {
    const slot = this.#slots.get(reserved);
    const caller = slot === undefined ? undefined : this.#callers[slot];
    return caller ? caller(handler) : handler();
  }
}

/** A function whose name tells in a stack, also behind an await, which slot's handler is under way. */
function callerOf(slot: number): Caller {
  const caller = async (handler: () => unknown) => await handler();
  return Object.defineProperty(caller, 'name', { value: `${slotFrame}${slot}` });
}

import { closeSync, openSync, writeSync } from 'node:fs';
import type { FaultEvent, LedgerEvent } from '../conformance/index.js';

/** Ms of the clock that all processes of this host share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The ledger of the process that breaks things and looks on. */
export class Record {
  readonly #file: number;
  #isClosed = false;
  readonly #counts = new Map<string, number>();

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** What comes after its close is of a run that was stopped, and is dropped. */
  write(event: LedgerEvent): void {
    if (!this.#isClosed) writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }

  /** Notes a fault of this moment, or one that began at `fromMs`. */
  fault(fault: FaultEvent['fault'], what: string, pids?: readonly number[], fromMs = nowMs()): void {
    this.add(what, { ev: 'fault', fault, fromMs, toMs: nowMs(), ...(pids && { pids }) });
  }

  /** Notes a fault, and counts it. */
  add(what: string, fault: FaultEvent): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    this.write(fault);
  }

  /** How often what was done. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  close(): void {
    this.#isClosed = true;
    closeSync(this.#file);
  }
}

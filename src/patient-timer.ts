import { monotonicMs } from './monotonic.js';

/** How a {@link PatientTimer} waits. */
export interface PatientTimerOptions {
  /** Whether the process goes on for it. Default: true. */
  readonly keepsAlive?: boolean;
  /** Default: as long as it waits. */
  readonly patienceMs?: number;
}

/**
 * Calls back once, when `ms` are over. Where it runs late, a blocked event loop held it up, and what it waits for may have
 * come meanwhile, unread: so what it was late by, at most `patienceMs`, is given again.
 */
export class PatientTimer {
  readonly #onOver: () => void;
  readonly #keepsAlive: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    ms: number,
    onOver: () => void,
    { keepsAlive = true, patienceMs = ms }: PatientTimerOptions = {},
  ) {
    this.#onOver = onOver;
    this.#keepsAlive = keepsAlive;
    const untilMs = monotonicMs() + ms;
    this.#arm(ms, () => this.#arm(Math.min(patienceMs, monotonicMs() - untilMs), this.#onOver));
  }

  /** It does not call back any more. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number, onOver: () => void): void {
    this.#timer = setTimeout(onOver, Math.ceil(ms));
    if (!this.#keepsAlive) this.#timer.unref();
  }
}

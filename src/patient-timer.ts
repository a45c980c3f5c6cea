import { monotonicMs } from './monotonic.js';

/**
 * Calls back once, when `ms` are over. Where it runs late, a blocked event loop held it up, and what it waits for may have
 * come meanwhile, unread: so what it was late by, at most `ms`, is given again.
 */
export class PatientTimer {
  readonly #onOver: () => void;
  readonly #keepsAlive: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param keepsAlive whether the process goes on for it; true by default. */
  constructor(ms: number, onOver: () => void, { keepsAlive = true }: { readonly keepsAlive?: boolean } = {}) {
    this.#onOver = onOver;
    this.#keepsAlive = keepsAlive;
    const untilMs = monotonicMs() + ms;
    this.#arm(ms, () => this.#arm(Math.min(ms, monotonicMs() - untilMs), this.#onOver));
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

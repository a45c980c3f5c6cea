import { startTimer } from './timer.js';

/** Wakes whoever waits for a change. A ring that nobody waits for is forgotten. */
export class Bell {
  #waiting = new Set<() => void>();

  ring(): void {
    if (this.#waiting.size === 0) return; // it rings for each job, and hardly ever is somebody waiting
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next ring, or after `mostMs`, whichever is first. */
  wait(mostMs?: number): Promise<void> {
    return new Promise((resolve) => {
      let stopTimer = () => {};
      const wake = () => {
        stopTimer();
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      if (mostMs !== undefined) stopTimer = startTimer(mostMs, wake);
    });
  }
}

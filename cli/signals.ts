import { constants } from 'node:os';

type SignalName = 'SIGINT' | 'SIGTERM';

/** What the signals of this process do to a command. */
export interface StopSignals {
  /** Aborts on the first SIGTERM or SIGINT, or on `stop`: take no new jobs, let running ones end. */
  readonly signal: AbortSignal;
  /** Stops as the first signal does. */
  stop(): void;
}

/** Makes SIGUSR2 pause a worker and SIGCONT let it go on, where the platform has them. */
export function pauseOnSignals(worker: { pause(): void; resume(): void }): void {
  if (process.platform === 'win32') return;
  process.on('SIGUSR2', () => worker.pause());
  process.on('SIGCONT', () => worker.resume());
}

/**
 * Takes over SIGTERM and SIGINT for the rest of this process's life.
 *
 * @param told of the first signal, for a line that says what happens now.
 * @param atOnce called on the second one with the exit code (128 + its number); it ends the process.
 */
export function stopOnSignals(told: (name: SignalName) => void, atOnce: (code: number) => void): StopSignals {
  const controller = new AbortController();
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      count += 1;
      if (count > 1) return atOnce(128 + constants.signals[name]);
      told(name);
      controller.abort();
    });
  }
  return { signal: controller.signal, stop: () => controller.abort() };
}

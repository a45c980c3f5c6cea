import { PatientTimer } from './patient-timer.js';

/**
 * The promise's result, or the error of `late` once the time is over, as a {@link PatientTimer} has it. What comes after
 * that is dropped.
 *
 * @param late is called when the time is over, and answers what to reject with.
 */
export async function within<T>(promise: Promise<T>, ms: number, late: () => unknown): Promise<T> {
  let timer: PatientTimer | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = new PatientTimer(ms, () => reject(late()));
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    timer?.clear();
  }
}

/** Waits for a promise, for at most so many ms: then whoever waits goes on without it. Rejects if it does in time. */
export async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

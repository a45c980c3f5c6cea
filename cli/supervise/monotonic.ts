const [seconds, nanoseconds] = process.hrtime();
/** Of the clock of this thread, which begins with it. Asking that one makes no objects. */
const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();

/**
 * Milliseconds on the monotonic clock, which all processes and threads of a host share.
 *
 * @param nowMs by this thread's `performance.now()`.
 */
export function monotonicMs(nowMs = performance.now()): number {
  return offsetMs + nowMs;
}

const [seconds, nanoseconds] = process.hrtime();
/** Of the clock of this thread, which begins with it. Asking that one makes no objects. */
const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();

/** Milliseconds on the monotonic clock, which all processes and threads of a host share. */
export function monotonicMs(): number {
  return offsetMs + performance.now();
}

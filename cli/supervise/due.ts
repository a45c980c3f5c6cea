import type { StartRecord } from './journal.js';

/** When the time of the first of these handlers is over, on the monotonic clock. Pure. */
export function earliestDueMs(started: readonly StartRecord[]): number {
  return Math.min(...started.map(dueMsOf));
}

/**
 * Which of the handlers blocks the event loop, as far as that is known, and when its time is over. Pure.
 *
 * Where nobody knows which it is, all must have had their time: one of them may well go on.
 *
 * @param slot that the stack named.
 */
export function blockerOf(
  started: readonly StartRecord[],
  slot: number | undefined,
): { readonly record: StartRecord | undefined; readonly dueMs: number } {
  const named = slot === undefined ? undefined : started.find((record) => record.slot === slot);
  const record = named ?? (started.length === 1 ? started[0] : undefined);
  if (record) return { record, dueMs: dueMsOf(record) };
  const dueMs = started.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...started.map(dueMsOf));
  return { record, dueMs };
}

function dueMsOf({ atMs, timeoutMs }: StartRecord): number {
  return timeoutMs > 0 ? atMs + timeoutMs : Number.POSITIVE_INFINITY;
}

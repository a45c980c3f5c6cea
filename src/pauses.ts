import type { SignalStore } from './restart-signal.js';

/** The key of what is paused on a connection; the value is JSON. */
export const pausedKey = '{drover}:paused';

/** A queue that was paused by name. */
export interface PausedQueue {
  readonly queue: string;
  /** Since when, in ms since the epoch by the clock of who paused it. */
  readonly sinceMs: number;
}

/** What operators have paused on a connection. The two are lifted apart. */
export interface Pauses {
  /** Since when the whole connection is paused, in ms since the epoch; null where it is not. */
  readonly allSinceMs: number | null;
  /** The queues paused by name, sorted. */
  readonly queues: readonly PausedQueue[];
}

/** Nothing is paused. */
export const noPauses: Pauses = { allSinceMs: null, queues: [] };

/** Reads a stored value. One that is not of ours pauses nothing: whoever flushes a cache stops no work. */
export function readPauses(text: string | null): Pauses {
  if (text === null) return noPauses;
  try {
    const { allSinceMs, queues } = JSON.parse(text) as Pauses;
    return {
      allSinceMs: typeof allSinceMs === 'number' ? allSinceMs : null,
      queues: Array.isArray(queues) ? queues.filter(isPausedQueue) : [],
    };
  } catch {
    return noPauses;
  }
}

/** What is paused now on a connection whose store carries signals, or none. */
export async function pausesOf(signals: SignalStore | undefined): Promise<Pauses> {
  return signals ? readPauses(await signals.read(pausedKey)) : noPauses;
}

function isPausedQueue(value: unknown): value is PausedQueue {
  const { queue, sinceMs } = (value ?? {}) as Partial<PausedQueue>;
  return typeof queue === 'string' && typeof sinceMs === 'number';
}

/** Whether workers may not take from a queue. */
export function isPaused({ allSinceMs, queues }: Pauses, queue: string): boolean {
  return allSinceMs !== null || queues.some((paused) => paused.queue === queue);
}

/** Pauses a queue, or with undefined the whole connection. One that is paused stays so since it was. */
export function pauseIn(signals: SignalStore, queue: string | undefined, nowMs: number): Promise<Pauses> {
  return change(signals, ({ allSinceMs, queues }) => {
    if (queue === undefined) return { allSinceMs: allSinceMs ?? nowMs, queues };
    if (queues.some((paused) => paused.queue === queue)) return { allSinceMs, queues };
    const sorted = [...queues, { queue, sinceMs: nowMs }].sort((a, b) => (a.queue < b.queue ? -1 : 1));
    return { allSinceMs, queues: sorted };
  });
}

/** Lifts the pause of a queue, or with undefined that of the whole connection. */
export function resumeIn(signals: SignalStore, queue: string | undefined): Promise<Pauses> {
  return change(signals, ({ allSinceMs, queues }) => ({
    allSinceMs: queue === undefined ? null : allSinceMs,
    queues: queues.filter((paused) => paused.queue !== queue),
  }));
}

async function change(signals: SignalStore, step: (pauses: Pauses) => Pauses): Promise<Pauses> {
  for (;;) {
    const text = await signals.read(pausedKey);
    const before = readPauses(text);
    const after = step(before);
    const value = JSON.stringify(after);
    if (value === JSON.stringify(before)) return after;
    if (signals.swap === undefined) {
      await signals.write(pausedKey, value);
      return after;
    }
    // Each refusal is another operator's success, so this ends.
    if (await signals.swap(pausedKey, text, value)) return after;
  }
}

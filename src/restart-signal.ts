/** Keeps small texts under a key, for signals that every worker of a store can see. */
export interface SignalStore {
  /** The value, or null where the key is not set. */
  read(key: string): Promise<string | null>;
  write(key: string, value: string): Promise<void>;
  /**
   * Writes the value only where the key has the expected one (null: where it is not set), as one operation; answers
   * whether it did. Without it two that change the same value at once may undo each other's change.
   */
  swap?(key: string, expected: string | null, value: string): Promise<boolean>;
  /**
   * Tells the value about once a second, until the function that it answers is called. Present where the store can
   * read it along with what a worker asks anyway; else workers read it by themselves.
   */
  watch?(key: string, tell: (value: string | null) => void): () => void;
}

/** The key of think-queue's restart signal; the value is a Unix time in decimal seconds. */
export const restartKey = 'think:queue:restart';

/**
 * Asks every daemon worker of a store to finish its jobs and exit.
 *
 * A second signal within the same second is written one second ahead, as workers react to a changed
 * value only. Answers the value written.
 */
export async function signalRestart(signals: SignalStore, nowMs: number): Promise<string> {
  const previous = Number(await signals.read(restartKey));
  const seconds = Math.floor(nowMs / 1000);
  const value = String(previous >= seconds ? previous + 1 : seconds);
  await signals.write(restartKey, value);
  return value;
}

/**
 * True when a worker that read `atStart` when it began should stop on reading `current`. A value that
 * vanished (a flushed cache) is no signal.
 */
export function isRestartAsked(atStart: string | null, current: string | null): boolean {
  return current !== null && current !== atStart;
}

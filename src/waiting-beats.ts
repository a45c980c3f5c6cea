import type { Beat } from './worker-registry.js';

/** A beat that no trip has taken along in this time goes by itself. */
const longestWaitMs = 1500;

/** What {@link WaitingBeats} work with. */
export interface WaitingBeatsOptions {
  /** Sends a beat that no trip has taken along. */
  send(beat: Beat): Promise<void>;
  /** Called when beats had their time to be taken along, and those that were not are sent. */
  tidy?(): Promise<void>;
  /** Told what `send` or `tidy` failed with: nobody waits for them. */
  onError(error: unknown): void;
}

const none: readonly Beat[] = [];

/** Beats of a driver's workers that wait for a trip of something else to the store, for about a second. */
export class WaitingBeats {
  readonly #options: WaitingBeatsOptions;
  readonly #beats = new Map<string, Beat>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WaitingBeatsOptions) {
    this.#options = options;
  }

  /** Lets a beat wait, in place of an earlier one of its worker. */
  add(beat: Beat): void {
    this.#beats.set(beat.id, beat);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#sendLeft(), longestWaitMs);
  }

  /** Drops the beat of a worker: a newer one is sent, or the worker leaves. */
  drop(id: string): void {
    this.#beats.delete(id);
  }

  /** Takes those that wait, for a trip that is about to start. */
  take(): readonly Beat[] {
    if (this.#beats.size === 0) return none;
    const beats = [...this.#beats.values()];
    this.#beats.clear();
    return beats;
  }

  /** Drops all. */
  close(): void {
    clearTimeout(this.#timer);
    this.#beats.clear();
  }

  async #sendLeft(): Promise<void> {
    const { send, tidy, onError } = this.#options;
    try {
      for (const beat of this.#beats.values()) {
        this.#beats.delete(beat.id);
        await send(beat);
      }
      await tidy?.();
    } catch (error) {
      onError(error);
    }
  }
}

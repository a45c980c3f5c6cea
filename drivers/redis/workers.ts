import type { Beat, BeatEntry, WorkerRegistry } from '../../src/index.js';
import type { Commands } from './commands.js';
import { beatScript, leaveScript, listWorkersScript } from './worker-scripts.js';

/** A beat that no trip has taken along in this time goes by itself. */
const longestWaitMs = 1500;

/** What {@link RedisWorkers} work with. */
export interface WorkersOptions {
  readonly session: Commands;
  /** The hash of what workers say of themselves, and the sorted set of when that is over. */
  readonly keys: readonly string[];
  /** True where reserves and looks at signals can take beats along: in one slot with them. */
  readonly areWithJobs: boolean;
  /** Told what a beat failed with that nobody waits for. */
  onError(error: unknown): void;
}

/** The list of live workers. */
export class RedisWorkers implements WorkerRegistry {
  readonly beatAlong?: (beat: Beat) => void;
  readonly #options: WorkersOptions;
  readonly #waiting = new Map<string, Beat>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    if (options.areWithJobs) this.beatAlong = (beat) => this.#beatAlong(beat);
  }

  get keys(): readonly string[] {
    return this.#options.keys;
  }

  async beat(beat: Beat): Promise<void> {
    this.#waiting.delete(beat.id);
    const { session, keys } = this.#options;
    await session.script(beatScript, keys, argumentsOf(beat));
  }

  async list(): Promise<BeatEntry[]> {
    const { session, keys } = this.#options;
    const found = await session.script<(Buffer | number)[]>(listWorkersScript, keys, []);
    const entries: BeatEntry[] = [];
    for (let at = 0; at < found.length; at += 3) {
      const [id, about, leftMs] = found.slice(at, at + 3) as [Buffer, Buffer, number];
      entries.push({ id: id.toString(), about: about.toString(), leftMs });
    }
    return entries;
  }

  async leave(id: string): Promise<void> {
    this.#waiting.delete(id);
    const { session, keys } = this.#options;
    await session.script(leaveScript, keys, [id]);
  }

  /** Takes the beats that wait for a trip, as arguments of its script: three each. */
  take(): readonly (string | number)[] {
    if (this.#waiting.size === 0) return [];
    const beats = [...this.#waiting.values()];
    this.#waiting.clear();
    return beats.flatMap(argumentsOf);
  }

  /** Takes what a script says of the beats that it took along: what went wrong, or ''. */
  told(problem: string): void {
    if (problem !== '') this.#options.onError(new Error(problem));
  }

  /** Ends what waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #beatAlong(beat: Beat): void {
    this.#waiting.set(beat.id, beat);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#sendWaiting(), longestWaitMs);
  }

  async #sendWaiting(): Promise<void> {
    try {
      for (const beat of [...this.#waiting.values()]) await this.beat(beat);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

function argumentsOf({ id, keepMs, about }: Beat): (string | number)[] {
  return [id, keepMs, about];
}

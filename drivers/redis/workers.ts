import { type Beat, type BeatEntry, WaitingBeats, type WorkerRegistry } from '../../src/index.js';
import type { Commands } from './commands.js';
import { beatScript, leaveScript, listWorkersScript } from './worker-scripts.js';

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
  readonly #waiting: WaitingBeats;
  #onLeave: () => Promise<unknown> = () => Promise.resolve();

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#waiting = new WaitingBeats({
      send: (beat) => this.beat(beat),
      onError: (error) => options.onError(error),
    });
    if (options.areWithJobs) this.beatAlong = (beat) => this.#waiting.add(beat);
  }

  get keys(): readonly string[] {
    return this.#options.keys;
  }

  async beat(beat: Beat): Promise<void> {
    this.#waiting.drop(beat.id);
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

  /** Sets what goes with a worker that leaves, and before it has left. */
  onLeave(act: () => Promise<unknown>): void {
    this.#onLeave = act;
  }

  async leave(id: string): Promise<void> {
    this.#waiting.drop(id);
    const { session, keys } = this.#options;
    await Promise.all([this.#onLeave(), session.script(leaveScript, keys, [id])]);
  }

  /** Takes the beats that wait for a trip, as arguments of its script: three each. */
  take(): readonly (string | number)[] {
    return this.#waiting.take().flatMap(argumentsOf);
  }

  /** Takes what a script says of the beats that it took along: what went wrong, or ''. */
  told(problem: string): void {
    if (problem !== '') this.#options.onError(new Error(problem));
  }

  /** Ends what waits. */
  close(): void {
    this.#waiting.close();
  }
}

function argumentsOf({ id, keepMs, about }: Beat): (string | number)[] {
  return [id, keepMs, about];
}

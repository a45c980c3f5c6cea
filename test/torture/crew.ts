import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, signal, standsStill } from './processes.js';
import type { Profile } from './profile.js';
import { bin, type Project } from './project.js';
import { nowMs, type Record } from './record.js';

/** What a process manager may wait before it starts a command again. */
const againMs = 100;
/** What a worker has to end in when it is asked to. */
const patienceMs = 20_000;
/** What all have to begin to work in. */
const startsWithinMs = 60_000;

/** Why a worker process stopped that was not asked to, as its supervisor tells it. */
const deaths = ['died', 'exit', 'blocked'];

/** The command that starts a process for each job. */
export const listen = 'queue:listen';

/** What is done to a process, for people, that ends while a handler runs. */
export const deathByJob = 'death of a worker by its job, or a kill';

/** Commands that are started again whenever they end, as a process manager does. */
export class Crew {
  readonly #project: Project;
  readonly #record: Record;
  readonly #tidies: boolean;
  readonly #running = new Map<number, Place>();
  /** Those that have said so. */
  readonly #working = new Set<number>();
  readonly #places: Promise<void>[] = [];
  readonly #causes = new Map<number, string>();
  /** Those that go by the clock of the project. */
  readonly #jumping = new Set<number>();
  #isEnding = false;
  /** The command that is not to run at present. */
  #resting: string | undefined;
  #started = 0;
  /** When nobody could reach the store last: some commands end then, and may. */
  storeAwayMs = Number.NEGATIVE_INFINITY;
  /** Restarts that are being asked for: commands that have just begun may end by them. */
  restarts = 0;

  constructor(project: Project, record: Record, { tidies }: Pick<Profile, 'tidies'>) {
    this.#tidies = tidies;
    this.#project = project;
    this.#record = record;
  }

  /** Keeps a command running until `end`. */
  keep(...words: readonly string[]): void {
    this.#places.push(this.#keep({ words }));
  }

  /** The same, for one that is neither killed, stopped nor asked to end by itself, so that it lives long. */
  keepSafe(...words: readonly string[]): void {
    this.#places.push(this.#keep({ words, isSafe: true }));
  }

  /** The same, for one whose clock can be set. */
  keepJumping(...words: readonly string[]): void {
    this.#places.push(this.#keep({ words, isJumping: true }));
  }

  /** Resolves when each command that runs at present has begun to work, or has not done so for long. */
  async untilWorking(): Promise<void> {
    const untilMs = nowMs() + startsWithinMs;
    while (this.#working.size < this.#places.length && nowMs() < untilMs) await sleep(50);
  }

  /** Asks those that run such a command to stop, and answers which; they are started again by `resume`. */
  rest(command: string): number[] {
    this.#resting = command;
    return this.pids.filter((pid) => this.#running.get(pid)?.words[0] === command && this.stop(pid));
  }

  resume(): void {
    this.#resting = undefined;
  }

  /** The commands that run. */
  get pids(): number[] {
    return [...this.#running.keys()];
  }

  /** The commands that run, and the processes that they have started. */
  get all(): number[] {
    return this.pids.flatMap((pid) => [pid, ...childrenOf(pid)]);
  }

  /** Whether it is one that faults of processes are not to meet. */
  isSafe(pid: number): boolean {
    return this.#running.get(pid)?.isSafe === true;
  }

  /** Others that run the same command, have begun to work and do not stand still: they take what one of them loses. */
  peersOf(pid: number): number[] {
    const command = this.#running.get(pid)?.words.join(' ');
    const isPeer = (one: number) => one !== pid && this.#running.get(one)?.words.join(' ') === command;
    return [...this.#working].filter((one) => isPeer(one) && !standsStill(one));
  }

  /** Those of them whose clock can be set. */
  get jumping(): number[] {
    return [...this.#jumping].flatMap((pid) => [pid, ...childrenOf(pid)]);
  }

  /** Notes what is about to be done to a command, by which its end is judged. */
  blame(pid: number, cause: 'term' | 'kill' | 'restart'): void {
    const isWeaker = this.#causes.get(pid) === 'kill' || (cause === 'restart' && this.#causes.has(pid));
    if (this.#running.has(pid) && !isWeaker) this.#causes.set(pid, cause);
  }

  /** Asks a command to stop, which a second time would be to end at once; false where it was asked already. */
  stop(pid: number): boolean {
    if (this.#causes.get(pid) === 'term') return false;
    this.blame(pid, 'term');
    return signal(pid, 'SIGTERM');
  }

  /** Asks all to stop, and waits for their ends. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const pid of this.pids) {
      this.stop(pid);
    }
    const timer = setTimeout(() => void this.kill(), patienceMs);
    await Promise.all(this.#places);
    clearTimeout(timer);
  }

  /** Kills what runs still, and waits for the ends: none is judged to have ended well by that. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    for (const pid of this.all) signal(pid, 'SIGKILL');
    await Promise.all(this.#places);
  }

  async #keep(place: Place): Promise<void> {
    while (!this.#isEnding) {
      if (place.words[0] !== this.#resting) await this.#run(place);
      if (!this.#isEnding) await sleep(againMs);
    }
  }

  async #run(place: Place): Promise<void> {
    const { words, isJumping = false } = place;
    const number = this.#started++;
    const errors = openSync(this.#project.path(`output/${number}.err`), 'a');
    const said = openSync(this.#project.path(`output/${number}.out`), 'a');
    const { tidying, clock, witness } = this.#project;
    const options = ['--max-old-space-size=96'];
    if (this.#tidies) options.push(`--require=${tidying}`);
    if (isJumping) options.push(`--import=${clock}`);
    if (words[0] === listen) options.push(`--require=${witness}`);
    const child = spawn(process.execPath, [bin, ...words], {
      cwd: this.#project.folder,
      env: { ...process.env, NODE_OPTIONS: options.join(' '), DROVER_DEBUG: undefined },
      stdio: ['ignore', 'pipe', errors],
    });
    const pid = child.pid ?? 0;
    this.#running.set(pid, place);
    this.#causes.delete(pid); // of another one, which had the same number
    if (isJumping) this.#jumping.add(pid);
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      writeSync(said, `${nowMs()} ${line}\n`);
      if (/"(?:worker|listener):started"/.test(line)) this.#working.add(pid);
      this.#hear(line, isJumping);
    });
    const [code, name] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    this.#running.delete(pid);
    this.#jumping.delete(pid);
    closeSync(errors);
    this.#record.write({ ev: 'exit', t: nowMs(), pid, cause: this.#causeOf(pid, words), code, signal: name });
    this.#working.delete(pid);
  }

  /** A worker tells of jobs that it has deleted, and a supervisor of worker processes that died. */
  #hear(line: string, isJumping: boolean): void {
    if (!/"(?:worker:stopped|job:done)".*\}$/.test(line)) return; // the last line may be half
    const { event, time, pid, reason, id, attempts } = JSON.parse(line) as Line;
    // Told at once; this process may hear of it much later.
    const t = nowMs() - this.#project.agoMs(Date.parse(String(time)), isJumping);
    if (event === 'job:done')
      this.#record.write({ ev: 'settled', t, id: String(id), attempt: Number(attempts) });
    if (event !== 'worker:stopped' || typeof pid !== 'number' || !deaths.includes(String(reason))) return;
    this.#record.fault('death', deathByJob, [pid], t);
  }

  #causeOf(pid: number, [command]: readonly string[]): string {
    const isExcused = command === listen && nowMs() - this.storeAwayMs < 40_000;
    const cause =
      this.#causes.get(pid) ?? (this.restarts > 0 ? 'restart' : isExcused ? 'store away' : 'none');
    return this.#working.has(pid) || cause === 'store away' ? cause : `${cause} before it worked`;
  }
}

/** What is kept running. */
interface Place {
  readonly words: readonly string[];
  readonly isJumping?: boolean;
  readonly isSafe?: boolean;
}

interface Line {
  readonly event?: unknown;
  readonly id?: unknown;
  readonly attempts?: unknown;
  readonly time?: unknown;
  readonly pid?: unknown;
  readonly reason?: unknown;
}

import { randomBytes } from 'node:crypto';
import { monotonicMs } from '../../src/index.js';
import type { Client } from './client.js';
import { Ear, type EarOptions, type FollowUp } from './ear.js';
import type { Keys } from './keys.js';

/** Who waits looks this often, whatever wakes it: for delays and leases that others set, and for signals. */
const longestWaitMs = 1000;

/** What a look at a queue has shown. */
interface Look {
  readonly ready: number;
  /** When the next job is due, on the monotonic clock; Infinity where none is in sight. */
  readonly dueAtMs: number;
  /** Whether it is for us to be there when it is due. */
  readonly isOurs: boolean;
}

interface Wait {
  readonly queues: readonly string[];
  wake(): void;
}

/** What a {@link Watch} needs of its connector. */
export interface WatchOptions {
  readonly keys: Keys;
  /** True where one command may name the keys of several queues. */
  readonly isOneSlot: boolean;
  /** Looks at queues without taking anything, by a reserve that tells `looked` what it saw. */
  look(queues: readonly string[]): Promise<unknown>;
  /** Makes a connection to where a key is, for commands that block it. */
  open(key: string): Promise<Client>;
  /** Puts back what woke somebody who does not wait any more. */
  rouse(queue: string): Promise<unknown>;
  /** What takes jobs off the queue, for the one who waits for it alone, at the moment when there are any. */
  take(queue: string): FollowUp | undefined;
  /** Whether jobs were taken for who waits for these queues, and not asked for yet. */
  hasTaken(queues: readonly string[]): boolean;
  /** Told the queues of one who waits, just before that one is woken as there is a job. */
  heard(queues: readonly string[]): void;
  onError(error: unknown): void;
}

/**
 * Waits for jobs, for all the workers of one connector.
 *
 * Of all the connectors that wait for a queue one watches it: by a `BLMOVE` of the list's last job onto its own
 * place, which takes nothing and wakes on anybody's push, and by a timer for the next delay or lease to end. The
 * others wait in a `BLPOP` until a script rouses one of them: to watch in place of one that is now busy, or to look
 * again. Each looks once a second besides, so that nothing but that second hangs on any of this.
 */
export class Watch {
  /** Names this connector to the others. */
  readonly id = randomBytes(8).toString('hex');
  readonly #options: WatchOptions;
  readonly #waits = new Set<Wait>();
  readonly #looks = new Map<string, Look>();
  /** Queues that somebody has waited for here. */
  readonly #known = new Set<string>();
  readonly #watched = new Set<string>();
  readonly #roused = new Set<string>();
  readonly #ears = new Map<string, Ear>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** The id for a reserve, or '' where nobody waits for these queues. */
  idFor(queues: readonly string[]): string {
    return queues.every((queue) => this.#known.has(queue)) ? this.id : '';
  }

  watchesOneOf(queues: readonly string[]): boolean {
    return queues.some((queue) => this.#watched.has(queue));
  }

  /** Watches those queues no more that nobody waits for, and answers which these are. */
  leaveIdle(): readonly string[] {
    const idle = [...this.#watched].filter((queue) => !this.#isWaitedFor(queue));
    for (const queue of idle) this.#watched.delete(queue);
    return idle;
  }

  /** Takes what a reserve says of a queue: the jobs that are ready, ms until the next is due or -1, whether to watch. */
  looked(queue: string, ready: number, dueInMs: number, isWatched: boolean): void {
    if (isWatched) this.#watched.add(queue);
    else this.#watched.delete(queue);
    const dueAtMs = dueInMs < 0 ? Number.POSITIVE_INFINITY : monotonicMs() + dueInMs;
    const wasRoused = this.#roused.delete(queue);
    this.#looks.set(queue, { ready, dueAtMs, isOurs: isWatched || wasRoused });
  }

  /** Takes that the queue is watched here no more. */
  left(queue: string): void {
    this.#watched.delete(queue);
  }

  /** The contract's `waitForJob`. */
  async wait(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const looks = await this.#look(queues);
    if (this.#options.hasTaken(queues)) return;
    if (looks.some(({ ready }) => ready > 0)) return;
    const now = monotonicMs();
    const dueInMs = looks.map(({ isOurs, dueAtMs }) => (isOurs ? dueAtMs - now : longestWaitMs));
    await this.#sleep(queues, Math.min(maxWaitMs, longestWaitMs, ...dueInMs), signal);
  }

  /** Ends all waits and the connections of them; what they have taken is there once it resolves. */
  async close(): Promise<void> {
    for (const { wake } of this.#waits) wake();
    this.#looks.clear();
    this.#known.clear();
    await Promise.all([...this.#ears.values()].map((ear) => ear.close()));
  }

  /** What the last reserve has shown, which no wait has used yet, or what a look shows now. */
  async #look(queues: readonly string[]): Promise<Look[]> {
    for (const queue of queues) this.#known.add(queue);
    if (!queues.every((queue) => this.#looks.has(queue))) await this.#options.look(queues);
    const looks = queues.flatMap((queue) => this.#looks.get(queue) ?? []);
    for (const queue of queues) this.#looks.delete(queue);
    return looks;
  }

  #sleep(queues: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const forget = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
      };
      const wake = (): void => {
        this.#waits.delete(wait);
        resolve();
        // Not before what it waits for is under way: to clear a timer and to take a listener off take 30 µs of cold code.
        setImmediate(forget);
      };
      const wait: Wait = { queues, wake };
      const timer = setTimeout(wake, Math.ceil(ms));
      this.#waits.add(wait);
      signal.addEventListener('abort', wake);
      this.#listen(queues);
    });
  }

  #listen(queues: readonly string[]): void {
    for (const queue of queues) {
      if (this.#watched.has(queue)) this.#earOfList(queue).listen();
    }
    for (const group of this.#options.isOneSlot ? [queues] : queues.map((queue) => [queue])) {
      this.#earOfWake(group).listen();
    }
  }

  /** Hears that there are jobs in the list, whoever put them there. */
  #earOfList(queue: string): Ear {
    const list = this.#options.keys.listOf(queue);
    const heard = (): void => {
      const first = this.#firstWaitFor(queue);
      if (first) this.#options.heard(first.queues);
      this.#wake(queue);
    };
    // Who waits for other queues too may have to take from those first.
    const isAlone = ({ queues }: Wait): boolean => queues.length === 1 && queues[0] === queue;
    const followUp = (): FollowUp | undefined =>
      [...this.#waits].some(isAlone) ? this.#options.take(queue) : undefined;
    return this.#ear([queue], { command: ['BLMOVE', list, list, 'RIGHT', 'RIGHT'], heard, followUp });
  }

  /** Hears that this connector shall look. */
  #earOfWake(queues: readonly string[]): Ear {
    const keys = queues.map((queue) => this.#options.keys.wakeOf(queue));
    const heard = (reply: unknown): void => {
      const [key] = reply as [Buffer];
      const queue = queues[keys.indexOf(key.toString())] as string;
      if (this.#wake(queue)) this.#roused.add(queue);
      else this.#options.rouse(queue).catch(this.#options.onError);
    };
    return this.#ear(queues, { command: ['BLPOP', ...keys], heard });
  }

  #ear(queues: readonly string[], hearing: Pick<EarOptions, 'command' | 'heard' | 'followUp'>): Ear {
    const { command } = hearing;
    const name = command.join(' ');
    const known = this.#ears.get(name);
    if (known) return known;
    const { open, onError } = this.#options;
    const isWanted = (): boolean => queues.some((queue) => this.#isWaitedFor(queue));
    const ear = new Ear({ ...hearing, open: () => open(command[1] as string), isWanted, onError });
    this.#ears.set(name, ear);
    return ear;
  }

  #isWaitedFor(queue: string): boolean {
    return this.#firstWaitFor(queue) !== undefined;
  }

  #firstWaitFor(queue: string): Wait | undefined {
    for (const wait of this.#waits) if (wait.queues.includes(queue)) return wait;
    return undefined;
  }

  /** Answers whether somebody waited. */
  #wake(queue: string): boolean {
    let isAnyone = false;
    for (const { queues, wake } of this.#waits) {
      if (!queues.includes(queue)) continue;
      isAnyone = true;
      wake();
    }
    return isAnyone;
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../src/index.js';
import type { Hearing, Listener } from './dialects/dialect.js';
import { LookBudget } from './look-budget.js';
import type { Looks } from './looks.js';
import type { Session } from './session.js';
import type { Teller } from './teller.js';
import { Wait } from './wait.js';

/** What {@link Waits} work with. */
export interface WaitsOptions<Connection> {
  readonly session: Session<Connection>;
  readonly looks: Looks<Connection>;
  /** Passes on what this process cannot see to. Absent where all processes hear of all changes. */
  readonly teller: Teller<Connection> | undefined;
}

/**
 * The calls that wait for jobs of a database that tells of changes. One listener serves all of them, from the
 * first call on. What it misses (it is cut off, who changed something died before telling) costs time and no more:
 * every wait looks for itself when it begins, and again each second or so.
 */
export class Waits<Connection> {
  readonly #options: WaitsOptions<Connection>;
  readonly #waiting = new Set<Wait>();
  /** The queues of waits that ended with a job, still announced. */
  readonly #foundFor = new Map<string, Listener>();
  #listener: Promise<Listener> | undefined;
  #heardAtMs = monotonicMs();
  #isClosed = false;

  constructor(options: WaitsOptions<Connection>) {
    this.#options = options;
  }

  /** The connector's `waitForJob`. */
  async forJob(
    queues: readonly string[],
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<'nothing-due' | undefined> {
    const wait = new Wait(queues);
    const beganOpen = !this.#isClosed;
    this.#waiting.add(wait);
    try {
      // Who is to stop does not wait for a connection that may not come.
      return await unlessAborted(this.#go(wait, monotonicMs() + maxWaitMs, signal), signal);
    } catch (error) {
      if (!this.#isClosed || !beganOpen) throw error;
      return undefined;
    } finally {
      this.#waiting.delete(wait);
      const told = wait.takeTold();
      if (told !== undefined) this.#seeTo(told);
    }
  }

  /**
   * Jobs were reserved: more may follow soon. What waits found them for is announced no longer where nobody else here waits
   * for it: from before the handlers on, which may block this process, and not ahead of the reserve, which it would delay.
   */
  noteWork(): void {
    this.#heardAtMs = monotonicMs();
    for (const [queue, listener] of this.#foundFor) void this.#withdraw(queue, listener);
    this.#foundFor.clear();
  }

  /** Ends the waits, and what listens. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeAll();
    const listener = await this.#listener?.catch(() => undefined);
    await listener?.end();
  }

  async #go(wait: Wait, lastMs: number, signal: AbortSignal): Promise<'nothing-due' | undefined> {
    const { looks } = this.#options;
    const { queues } = wait;
    let budget: LookBudget | undefined;
    for (let hasSlept = false; !signal.aborted; hasSlept = true) {
      // Before the look, so that nothing falls between the two.
      const listener = await this.#whenAnnounced(queues);
      if (signal.aborted) return undefined;
      wait.refresh();
      const sighting = looks.kept(queues) ?? (await looks.look(queues));
      const nowMs = monotonicMs();
      if (sighting.dueAtMs <= nowMs) return this.#found(wait, listener);
      // What is left is for the next wait: it goes on from this look, which is one each second in the long run.
      if (lastMs <= nowMs || (hasSlept && lastMs < sighting.askedAtMs + looks.everyMs)) {
        if (wait.isStale) return undefined;
        looks.keep(sighting);
        return 'nothing-due';
      }
      const nextMs = Math.min(sighting.dueAtMs, lastMs, sighting.askedAtMs + looks.everyMs);
      await wait.sleep(Math.min(nextMs - nowMs, this.#lookAgainMs(listener)), signal);
      if (this.#isClosed) return undefined;
      if (wait.takeTold() !== undefined) return this.#found(wait, listener);
      budget ??= new LookBudget(listener.lookEveryMs ?? 0, nowMs);
      await rest(budget.take(monotonicMs()), signal);
    }
    return undefined;
  }

  async #whenAnnounced(queues: readonly string[]): Promise<Listener> {
    for (let tries = 1; ; tries += 1) {
      const listening = this.#whenListening();
      const listener = await listening;
      try {
        await Promise.all(queues.map((queue) => listener.announce?.(queue)));
        return listener;
      } catch (error) {
        // Cut off meanwhile: another may do.
        if (this.#listener === listening) this.#listener = undefined;
        await listener.end();
        if (tries > 1) throw error;
      }
    }
  }

  #whenListening(): Promise<Listener> {
    this.#listener ??= this.#listen().catch((error: unknown) => {
      // So that the next wait tries anew.
      this.#listener = undefined;
      throw error;
    });
    return this.#listener;
  }

  async #listen(): Promise<Listener> {
    const { session } = this.#options;
    // By a verb, so that the database is there to be listened to, and not closed.
    const news = await session.run((_, dialect) => dialect.news);
    const hearing: Hearing = {
      onChange: (queue, isForAll) => {
        this.#heardAtMs = monotonicMs();
        this.#options.looks.forget();
        if (isForAll) this.#wakeAll(queue);
        else if (queue !== undefined) this.#seeTo(queue);
      },
      onVisible: () => {
        this.#options.looks.forget();
        this.#wakeAll();
      },
      onEnd: () => {
        this.#listener = undefined;
        this.#wakeAll();
      },
    };
    return await news.listen(() => session.openAlone(), hearing);
  }

  #wakeAll(queue?: string): void {
    for (const wait of this.#waiting) {
      if (queue === undefined || wait.queues.includes(queue)) wait.stir();
    }
  }

  /** Answers false where no wait of this process can see to it. */
  #wakeOne(queue: string): boolean {
    const candidates = [...this.#waiting].filter((wait) => wait.queues.includes(queue) && !wait.isTold);
    const chosen = candidates.find(({ isAsleep }) => isAsleep) ?? candidates[0];
    chosen?.tell(queue);
    return chosen !== undefined;
  }

  /** There is a job: once it is reserved its queues are announced no longer; see `noteWork`. */
  #found(wait: Wait, listener: Listener): undefined {
    this.#heardAtMs = monotonicMs();
    this.#waiting.delete(wait);
    for (const queue of wait.queues) this.#foundFor.set(queue, listener);
  }

  /** A job came to a queue: one wait of this process sees to it, or those of another. */
  #seeTo(queue: string): void {
    if (this.#wakeOne(queue) || this.#isClosed) return;
    const passOn = () => this.#options.teller?.tell({ queue, jobs: 1 });
    void this.#listener?.then((listener) => this.#withdraw(queue, listener)).then(passOn, passOn);
  }

  /** Does nothing while a wait for the queue goes on. */
  async #withdraw(queue: string, listener: Listener): Promise<void> {
    for (const { queues } of this.#waiting) if (queues.includes(queue)) return;
    // Where the connection is lost its locks are gone with it.
    await listener.withdraw?.(queue).catch(() => undefined);
  }

  #lookAgainMs(listener: Listener): number {
    return listener.lookAgainMs?.(monotonicMs() - this.#heardAtMs) ?? Number.POSITIVE_INFINITY;
  }
}

/** What the call answers, or undefined once the signal aborts: it goes on by itself then. */
async function unlessAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let stop = (): void => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([call, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0 && !signal.aborted) await pause(ms);
}

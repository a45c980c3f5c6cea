import type { Logger } from './logger.js';
import { randomText } from './random.js';
import { waitAtMost } from './within.js';
import { aboutText, keepMsOf, type WorkerReport } from './worker-info.js';
import type { Beat, WorkerRegistry } from './worker-registry.js';

/** How far apart beats are where neither the worker's options nor the store say so. */
export const defaultHeartbeatMs = 3000;
/** A beat that may be late by so much can wait for a trip of something else. */
const alongMs = 1000;
/** How long a stopping worker waits to be taken off the list. */
const leaveWithinMs = 1000;
/** When a worker says for the first time that it lives: a job that waits already comes to its handler before. */
const firstAfterMs = 50;

/** What a {@link Heartbeat} works with. */
export interface HeartbeatOptions {
  readonly registry: WorkerRegistry;
  readonly everyMs: number;
  readonly logger: Logger;
  describe(): WorkerReport;
}

/** Says again and again that a worker lives. A registry that is away costs the worker nothing but its place there. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #id = randomText(8);
  #first: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #isAway = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { registry, everyMs } = this.#options;
    const beat = () => {
      if (registry.beatAlong && everyMs >= alongMs) registry.beatAlong(this.#beat());
      else this.now();
    };
    this.#timer = setInterval(beat, everyMs);
    this.#first = setTimeout(beat, firstAfterMs);
  }

  /** Says so at once, between start and end: the worker's state has changed. Never throws. */
  now(): void {
    if (this.#timer === undefined) return;
    this.#underWay ??= this.#send().finally(() => {
      this.#underWay = undefined;
    });
  }

  /** Takes the worker off the list. Resolves in any case, soon. */
  async end(): Promise<void> {
    if (this.#timer === undefined) return;
    clearTimeout(this.#first);
    clearInterval(this.#timer);
    this.#timer = undefined;
    await waitAtMost(this.#leave(), leaveWithinMs);
  }

  async #send(): Promise<void> {
    try {
      await this.#options.registry.beat(this.#beat());
      this.#isAway = false;
    } catch (error) {
      this.#warn(error);
    }
  }

  async #leave(): Promise<void> {
    await this.#underWay; // else it would come after
    try {
      await this.#options.registry.leave(this.#id);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    const { logger } = this.#options;
    const level = this.#isAway ? 'debug' : 'warn';
    this.#isAway = true;
    logger[level]({ err: error }, 'could not write to the list of workers; the worker goes on');
  }

  #beat(): Beat {
    const keepMs = keepMsOf(this.#options.everyMs);
    return { id: this.#id, about: aboutText(this.#options.describe(), keepMs), keepMs };
  }
}

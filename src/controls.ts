import { isQueueError } from './errors.js';
import type { Logger } from './logger.js';
import { isPaused, noPauses, pausedKey, readPauses } from './pauses.js';
import { isRestartAsked, restartKey, type SignalStore } from './restart-signal.js';
import { waitAtMost } from './within.js';

/** How often a running worker looks at what operators ask for. */
const lookMs = 1000;

/** Why a worker takes no jobs of some of its queues, or of none. */
export interface Halt {
  /** Those of its queues that are paused. */
  readonly paused: readonly string[];
  /** True while the application is in maintenance, unless the worker was told to ignore that. */
  readonly maintenance: boolean;
}

/** A worker that takes jobs of all its queues. */
export const nothingHalted: Halt = { paused: [], maintenance: false };

export function isSameHalt(one: Halt, other: Halt): boolean {
  return one.maintenance === other.maintenance && one.paused.join() === other.paused.join();
}

/** What {@link Controls} work with. */
export interface ControlsOptions {
  readonly queues: readonly string[];
  readonly signals: SignalStore | undefined;
  /** Where else a restart may be asked for. */
  readonly restarts?: SignalStore | undefined;
  readonly maintenance: (() => unknown) | undefined;
  readonly logger: Logger;
  /** Called when a restart is asked for. */
  onRestart(): void;
  /** Called when `halt` has changed. */
  onHalt(): void;
}

/** What operators ask of running workers: to restart, and to take no jobs for a while. */
export class Controls {
  readonly #options: ControlsOptions;
  readonly #ends: (() => void)[] = [];
  #pauses = noPauses;
  #maintenance = false;
  #halt = nothingHalted;

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  get halt(): Halt {
    return this.#halt;
  }

  /** The queues that jobs may be taken from, in the order given. */
  get open(): readonly string[] {
    const { paused, maintenance } = this.#halt;
    if (maintenance) return [];
    return paused.length === 0
      ? this.#options.queues
      : this.#options.queues.filter((queue) => !paused.includes(queue));
  }

  /**
   * Resolves when what is asked for now is known, or could not be read; from then on looks about once a second.
   *
   * @param watching false looks once, and not for a restart: for a worker that runs one job.
   */
  async start(watching: boolean): Promise<void> {
    const { signals, restarts } = this.#options;
    const pauses = this.#start(signals, pausedKey, 'what is paused', watching, (text) => {
      this.#pauses = readPauses(text);
      this.#update();
    });
    const restart = watching ? [this.#startRestart(signals), this.#startRestart(restarts)] : [];
    await Promise.all([...restart, pauses, this.#startMaintenance(watching)]);
  }

  /** Looks no more. */
  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #startRestart(signals: SignalStore | undefined): Promise<void> {
    let atStart: string | null | undefined;
    return this.#start(signals, restartKey, 'the restart signal', true, (value) => {
      if (atStart === undefined) atStart = value;
      else if (isRestartAsked(atStart, value)) this.#options.onRestart();
    });
  }

  /** Tells a signal's value now and, watching, whenever it was read again: a store that is away tells nothing. */
  async #start(
    signals: SignalStore | undefined,
    key: string,
    what: string,
    watching: boolean,
    tell: (value: string | null) => void,
  ): Promise<void> {
    const { logger } = this.#options;
    if (!signals) return;
    const look = async (): Promise<void> => {
      try {
        tell(await signals.read(key));
      } catch (error) {
        if (isQueueError(error) && !error.transient) return; // the first reserve says it, and ends the run
        logger.warn({ err: error }, `could not read ${what}`);
      }
    };
    await look();
    if (!watching) return;
    if (signals.watch) this.#ends.push(signals.watch(key, tell));
    else this.#repeat(look);
  }

  async #startMaintenance(watching: boolean): Promise<void> {
    const { maintenance, logger } = this.#options;
    if (!maintenance) return;
    const look = async (): Promise<void> => {
      try {
        this.#maintenance = (await maintenance()) === true;
        this.#update();
      } catch (error) {
        logger.warn({ err: error }, 'could not ask whether the application is in maintenance');
      }
    };
    const first = look();
    // An answer that never comes must not keep the worker from starting.
    await waitAtMost(first, lookMs);
    if (watching) this.#repeat(look, first);
  }

  #repeat(look: () => Promise<void>, first: Promise<void> = Promise.resolve()): void {
    let isLooking = true;
    const done = () => {
      isLooking = false;
    };
    void first.then(done);
    const timer = setInterval(() => {
      if (isLooking) return; // what does not answer is asked once
      isLooking = true;
      void look().then(done);
    }, lookMs);
    this.#ends.push(() => clearInterval(timer));
  }

  #update(): void {
    const paused = this.#options.queues.filter((queue) => isPaused(this.#pauses, queue));
    const halt = { paused, maintenance: this.#maintenance };
    if (isSameHalt(halt, this.#halt)) return;
    this.#halt = halt;
    this.#options.onHalt();
  }
}

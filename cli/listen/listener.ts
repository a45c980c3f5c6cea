import { setTimeout as sleep } from 'node:timers/promises';
import { Controls } from '../../src/controls.js';
import {
  type Connector,
  type Halt,
  isQueueError,
  type JobFields,
  type Logger,
  type SignalStore,
} from '../../src/index.js';
import { judge } from '../supervise/judge.js';
import { type Left, suspectName } from '../supervise/protocol.js';
import type { Child, ChildEnd } from './child.js';

/** The first wait between two looks at an idle queue; it doubles up to `sleepMs`. */
const shortestLookMs = 25;
const longestRetryMs = 30_000;

/** Why a listener stopped. */
export type ListenerStop = 'signal' | 'restart' | 'memory';

/** What a listener works with. */
export interface ListenerOptions {
  readonly connector: Connector;
  readonly queues: readonly string[];
  readonly sleepMs: number;
  /** How long to wait after each job. */
  readonly restMs: number;
  /** Asked whether the application is in maintenance, unless that is to be ignored. */
  readonly maintenance: (() => unknown) | undefined;
  /** Where a restart may be asked for beside the store. */
  readonly restarts: SignalStore | undefined;
  /** Resident set of the listener's own process; 0: no limit. */
  readonly memoryMiB: number;
  readonly logger: Logger;
  startChild(): Child;
  /** Told why jobs are left where they are, or that they are not any longer. */
  onHalt(halt: Halt): void;
  /** Told of a job whose process was killed. */
  onKilled(job: JobFields): void;
  /** Settles what a dead process left, in a fresh one. */
  settle(left: readonly Left[]): Promise<void>;
}

/** Starts a fresh child whenever a job is ready, one after another. One run each. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #controls: Controls;
  #nap: AbortController | undefined;
  readonly #suspects = new Set<string>();
  #reason: ListenerStop | undefined;
  #child: Child | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { queues, connector, maintenance, restarts, logger } = options;
    this.#controls = new Controls({
      queues,
      signals: connector.signals,
      restarts,
      maintenance,
      logger,
      onRestart: () => this.#stop('restart'),
      onHalt: () => {
        options.onHalt(this.#controls.halt);
        this.#nap?.abort();
      },
    });
  }

  /** Listens until the signal aborts, the restart signal changes or the memory limit is passed. */
  async run(signal: AbortSignal): Promise<ListenerStop> {
    const onAbort = () => this.#stop('signal');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#controls.start(true);
    try {
      await this.#listen();
    } finally {
      this.#controls.end();
      signal.removeEventListener('abort', onAbort);
    }
    return this.#reason as ListenerStop;
  }

  /** Kills the child that runs now, where there is one. */
  killChild(): void {
    this.#child?.kill();
  }

  async #listen(): Promise<void> {
    let emptyLooks = 0;
    let failures = 0;
    while (this.#mayGoOn()) {
      const ready = await this.#isJobReady();
      if (this.#reason !== undefined) return;
      if (!ready) {
        await this.#waitForJob(emptyLooks++);
        continue;
      }
      const end = await this.#runChild();
      if (end.killed && end.job !== undefined) this.#options.onKilled(end.job);
      await this.#settleFor(end);
      if (end.job !== undefined) {
        emptyLooks = 0;
        failures = 0;
        if (this.#options.restMs > 0) await this.#pause(this.#options.restMs);
      } else if (end.code === 0) {
        await this.#waitForJob(emptyLooks++); // another worker was faster
      } else {
        await this.#afterFailedStart(end, failures++);
      }
    }
  }

  #mayGoOn(): boolean {
    const { memoryMiB } = this.#options;
    if (memoryMiB > 0 && process.memoryUsage.rss() / 1_048_576 > memoryMiB) this.#stop('memory');
    return this.#reason === undefined;
  }

  async #isJobReady(): Promise<boolean> {
    const { connector, logger } = this.#options;
    try {
      for (const queue of this.#controls.open) if ((await connector.size(queue)).ready > 0) return true;
    } catch (error) {
      if (!isQueueError(error) || !error.transient) throw error;
      logger.warn({ err: error }, 'the store does not answer; trying again');
    }
    return false;
  }

  async #runChild(): Promise<ChildEnd> {
    const child = this.#options.startChild();
    this.#child = child;
    try {
      return await child.ended;
    } finally {
      this.#child = undefined;
    }
  }

  /** Settles the job of a process that died with it, by the lease that it held. */
  async #settleFor(end: ChildEnd): Promise<void> {
    const blameless = this.#reason !== undefined && end.evidence === undefined;
    const { left, suspects, charged } = judge(
      { ...end, blameless },
      end.evidence,
      end.journal,
      this.#suspects,
    );
    if (end.job) this.#suspects.delete(suspectName(end.job));
    for (const name of suspects) this.#suspects.add(name);
    for (const { message } of charged) this.#options.logger.error({}, message);
    if (left.length > 0) await this.#options.settle(left);
  }

  /** A child that ran no job would not run one the next moment either: a job file may be broken. */
  async #afterFailedStart(end: ChildEnd, failures: number): Promise<void> {
    if (this.#reason !== undefined) return;
    const waitMs = Math.min(1000 * 2 ** failures, longestRetryMs);
    const how = end.signal === null ? `exit code ${end.code}` : end.signal;
    this.#options.logger.error(
      { waitMs },
      `the process for the next job ended with ${how} before it ran one`,
    );
    await this.#pause(waitMs);
  }

  async #waitForJob(looks: number): Promise<void> {
    await this.#pause(Math.min(shortestLookMs * 2 ** Math.min(looks, 20), this.#options.sleepMs));
  }

  async #pause(ms: number): Promise<void> {
    if (this.#reason !== undefined) return;
    this.#nap = new AbortController();
    // An abort ends the wait: that is what it is for.
    await sleep(ms, undefined, { signal: this.#nap.signal }).catch(() => {});
    this.#nap = undefined;
  }

  #stop(reason: ListenerStop): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#nap?.abort();
    this.#child?.stop();
  }
}

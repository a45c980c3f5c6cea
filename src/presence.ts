import { defaultHeartbeatMs, Heartbeat } from './heartbeat.js';
import type { Logger } from './logger.js';
import {
  defaultWorkerName,
  hostOf,
  type RunningJob,
  type WorkerReport,
  type WorkerState,
} from './worker-info.js';
import type { CheckedWorkerOptions } from './worker-options.js';
import type { WorkerRegistry } from './worker-registry.js';

/** What a worker tells of its jobs. */
interface Work {
  /** Those that run. */
  readonly jobs: readonly RunningJob[];
  /** Attempts that have not ended. */
  readonly active: number;
  /** Jobs done so far. */
  readonly done: number;
  /** Jobs given up so far. */
  readonly failed: number;
}

/** What a {@link Presence} tells of. */
export interface PresenceOptions {
  /** Absent where the store keeps no list of workers. */
  readonly registry: WorkerRegistry | undefined;
  readonly options: CheckedWorkerOptions;
  readonly work: Work;
  readonly logger: Logger;
  /** Why the worker takes no jobs, where it does not. */
  haltedBy(): 'paused' | 'stopping' | undefined;
}

/** A worker on the list of those that live, from its start to its end. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #heartbeat: Heartbeat | undefined;
  #startedAtMs = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { registry, logger } = options;
    const everyMs = options.options.heartbeatMs ?? registry?.everyMs ?? defaultHeartbeatMs;
    if (registry && everyMs > 0) {
      this.#heartbeat = new Heartbeat({ registry, everyMs, describe: () => this.#report(), logger });
    }
  }

  /** What the worker is called in logs and lists. */
  get name(): string {
    return this.#options.options.name ?? defaultWorkerName();
  }

  start(): void {
    this.#startedAtMs = Date.now();
    this.#heartbeat?.start();
  }

  /** Lets the list know at once that the worker's state has changed. */
  changed(): void {
    this.#heartbeat?.now();
  }

  async end(): Promise<void> {
    await this.#heartbeat?.end();
  }

  #report(): WorkerReport {
    const { options, work } = this.#options;
    const { queues, concurrency } = options;
    const { jobs, done, failed } = work;
    return {
      name: this.name,
      ...hostOf(),
      queues,
      concurrency,
      state: this.#state(),
      running: jobs.length,
      jobs: jobs.map(({ id, name, queue }) => ({ id, name, queue })),
      done,
      failed,
      startedAtMs: this.#startedAtMs,
      rssMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
    };
  }

  #state(): WorkerState {
    const { work, haltedBy } = this.#options;
    return haltedBy() ?? (work.active > 0 ? 'working' : 'idle');
  }
}

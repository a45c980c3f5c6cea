import type { ReservedJob } from './connector.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import type { Handler } from './registry.js';

/**
 * Told by a worker of every step of the jobs that it holds, so that another process can settle them if this one
 * dies. Its methods are called in line with the work: they must be quick and must not throw.
 */
export interface WorkerWatch {
  /**
   * Jobs are held by this process. Answers, in their order, who is told of each from then on.
   *
   * @param bodiesInStore whether those who settle them for this process can read their bodies from the store.
   */
  reserved(jobs: readonly ReservedJob[], bodiesInStore: boolean): readonly JobWatch[];
}

/** Told of every step of one job that a worker holds. */
export interface JobWatch {
  /** Whether the job may run only while no other runs in this process. */
  readonly mustRunAlone: boolean;
  /**
   * Its handler starts after the microtasks that are queued by this call.
   *
   * @param alone whether no other job of this process may start until it has ended.
   * @param nowMs by `monotonicMs()`.
   */
  started(name: string, timeoutMs: number, alone: boolean, nowMs: number): void;
  /** Calls the handler with these. */
  run(handler: Pick<Handler, 'run'>, job: Job, data: unknown, log: Logger): unknown;
  /** The handler has ended well: the job is only left to delete. */
  done(): void;
  /** The job was settled, though its handler goes on. */
  settled(): void;
  /** Neither the job nor its handler is this process's any longer. The last call. */
  ended(): void;
}

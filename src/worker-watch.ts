import type { ReservedJob } from './connector.js';

/**
 * Told by a worker of every step of the jobs that it holds, so that another process can settle them if this one
 * dies. Its methods are called in line with the work: they must be quick and must not throw.
 */
export interface WorkerWatch {
  /** Jobs are held by this process. Told before any of them is started. */
  reserved(jobs: readonly ReservedJob[]): void;
  /** A job's handler starts after the microtasks that are queued by this call. */
  started(reserved: ReservedJob, name: string, timeoutMs: number): void;
  /** A handler has ended well: its job is only left to delete. */
  done(reserved: ReservedJob): void;
  /** A job was settled, though its handler goes on. */
  settled(reserved: ReservedJob): void;
  /** Neither the job nor its handler is this process's any longer. */
  ended(reserved: ReservedJob): void;
  /** Whether a job may run only while no other runs in this process. */
  mustRunAlone(reserved: ReservedJob): boolean;
  /** Calls a handler. */
  run(reserved: ReservedJob, handler: () => unknown): unknown;
}

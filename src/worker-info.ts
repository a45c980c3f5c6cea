import { hostname } from 'node:os';
import type { BeatEntry } from './worker-registry.js';

/** What a worker does: `paused` takes no jobs, because of a pause or maintenance; `gone?` was not heard of lately. */
export type WorkerState = 'working' | 'idle' | 'paused' | 'stopping' | 'gone?';

/** A job that a worker runs. */
export interface RunningJob {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
}

/** A live worker, as it said of itself with its last sign of life. */
export interface WorkerInfo {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly state: WorkerState;
  /** How many jobs run. */
  readonly running: number;
  /** The first twenty of them. */
  readonly jobs: readonly RunningJob[];
  /** Jobs done since it started. */
  readonly done: number;
  /** Jobs that it gave up since it started. */
  readonly failed: number;
  /** When it started, in ms since the epoch by its own clock. */
  readonly startedAtMs: number;
  /** Resident memory of its process. */
  readonly rssMiB: number;
  /** How long ago it was heard of, in ms by the store's clock. */
  readonly quietMs: number;
}

/** What goes into a beat. */
export type WorkerReport = Omit<WorkerInfo, 'id' | 'quietMs'>;

/** More would make a beat of a worker with many slots long; texts are cut for the same reason. */
const mostJobs = 20;
const longestText = 100;
const mostQueues = 30;

/** How many beats a worker may miss before it is forgotten. */
const missedBeats = 3;

/** How long a beat holds where one follows every so many ms. */
export function keepMsOf(everyMs: number): number {
  return everyMs * missedBeats + 1000;
}

/** Where this process runs. */
export function hostOf(): { readonly host: string; readonly pid: number } {
  return { host: hostname(), pid: process.pid };
}

/** The default name of a worker of this process. */
export function defaultWorkerName(): string {
  const { host, pid } = hostOf();
  return `${host}:${pid}`;
}

/** Whether a worker serves a queue, as far as it says: a long list of queues is cut. */
export function mayServe({ queues }: WorkerInfo, queue: string): boolean {
  return queues.includes(queue) || queues.length >= mostQueues;
}

/** The text of a beat. */
export function aboutText(report: WorkerReport, keepMs: number): string {
  const { jobs, queues, ...rest } = report;
  const short = jobs.slice(0, mostJobs).map(({ id, name, queue }) => ({
    id,
    name: name.slice(0, longestText),
    queue: queue.slice(0, longestText),
  }));
  return JSON.stringify({ ...rest, queues: queues.slice(0, mostQueues), jobs: short, keepMs });
}

/** What a beat says, or undefined where it was not this version's worker that wrote it. */
export function workerInfo({ id, about, leftMs }: BeatEntry): WorkerInfo | undefined {
  try {
    const { keepMs, ...report } = JSON.parse(about) as WorkerReport & { readonly keepMs: number };
    const quietMs = Math.max(0, keepMs - leftMs);
    // Two beats are due by then: the worker is dead, or cannot reach the store.
    const isGone = quietMs > (keepMs * 2) / missedBeats;
    return { ...report, id, quietMs, state: isGone ? 'gone?' : report.state };
  } catch {
    return undefined;
  }
}

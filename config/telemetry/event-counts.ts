import { endsAttempt } from '../../src/events.js';
import type { JobEvent, QueueEvent } from '../../src/index.js';
import type { Meters } from './meters.js';

/** How many pairs of queue and job are told apart; the rest counts under `(others)`. */
const mostPairs = 500;

/** What is said of a job with each count. */
interface Labels {
  readonly connection: string;
  readonly queue: string;
  readonly job: string;
}

/** Counts what events tell. Labels have a bound: names of jobs are data of whoever pushes. */
export class EventCounts {
  readonly #meters: Meters;
  readonly #isKnown: (job: string) => boolean;
  readonly #pairs = new Set<string>();
  /** Attempts whose handlers run. */
  readonly #started = new Set<string>();

  /** @param isKnown whether this process can run jobs of a name. */
  constructor(meters: Meters, isKnown: (job: string) => boolean) {
    this.#meters = meters;
    this.#isKnown = isKnown;
  }

  count(event: QueueEvent): void {
    if ('id' in event) this.#countJob(event);
    else if (event.event === 'worker:store-away') {
      this.#meters.storeErrors.inc({ connection: event.connection });
    } else if (event.event === 'queue:pushed') {
      const { connection, queue, jobs } = event;
      for (const { name } of jobs) this.#meters.pushed.inc({ ...this.#labels({ connection, queue, name }) });
    }
  }

  #countJob(event: JobEvent): void {
    const { running, timedOut, waitSeconds } = this.#meters;
    const labels = { ...this.#labels(event) };
    const { connection, queue } = labels;
    if (event.event === 'job:started') {
      this.#started.add(attemptOf(event));
      running.inc({ connection, queue });
      if (event.waitMs !== undefined) waitSeconds.observe(labels, event.waitMs / 1000);
    } else if (event.event === 'job:timed-out') timedOut.inc(labels);
    else if (endsAttempt(event)) this.#countEnd(event, labels);
  }

  #countEnd(event: Extract<JobEvent, { durationMs: number }>, { ...labels }: Labels): void {
    const { ended, lastDone, runSeconds, running, storeErrors } = this.#meters;
    const { connection, queue } = labels;
    const outcome = event.event.slice('job:'.length).replace('-', '_');
    ended.inc({ ...labels, outcome });
    if (outcome === 'done') lastDone.setToCurrentTime({ connection, queue });
    if (outcome === 'unsettled') storeErrors.inc({ connection });
    // Others end unstarted, as their data cannot be read, or in place of a process that died.
    if (!this.#started.delete(attemptOf(event))) return;
    running.dec({ connection, queue });
    runSeconds.observe(labels, event.durationMs / 1000);
  }

  #labels({ connection, queue, name }: Pick<JobEvent, 'connection' | 'queue' | 'name'>): Labels {
    const job = this.#isKnown(name) ? name : '(unknown)';
    const pair = JSON.stringify([connection, queue, job]);
    if (!this.#pairs.has(pair)) {
      if (this.#pairs.size >= mostPairs) return { connection, queue: '(others)', job: '(others)' };
      this.#pairs.add(pair);
    }
    return { connection, queue, job };
  }
}

function attemptOf({ connection, queue, id, attempts }: JobEvent): string {
  return JSON.stringify([connection, queue, id, attempts]);
}

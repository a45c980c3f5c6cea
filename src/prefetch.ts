import type { ReservedJob } from './connector.js';

/** How much work to hold ahead of the slots, as the time that it will take them. */
const aheadMs = 40;
/** How much to hold ahead, in characters of payloads. */
const aheadLength = 4 * 1024 * 1024;
/** How many jobs to hold ahead at most, where neither the worker nor its store says so. */
export const mostAhead = 100;
/** How fast the estimate falls again after a slow job. */
const decay = 0.9;

/**
 * Decides how many jobs a worker reserves beyond its free slots: as many as it has got through in a few
 * hundredths of a second lately. Quick jobs are fetched by the hundred, those that take a while one by one, so that
 * no job waits here while another worker has nothing to do; and long payloads by the dozen, for the memory that they take.
 */
export class Prefetch {
  readonly #most: number;
  readonly #concurrency: number;
  #estimateMs: number | undefined;
  #payloadLength = 1;
  #isStalled = false;

  /** @param most never more than this many; 0 reserves nothing ahead. */
  constructor(most: number, concurrency: number) {
    this.#most = most;
    this.#concurrency = concurrency;
  }

  /** Takes how long a job held its slot. One slow job is believed at once, quick ones only by and by. */
  ran(durationMs: number): void {
    this.#isStalled = false;
    const known = this.#estimateMs ?? durationMs;
    this.#estimateMs = durationMs >= known ? durationMs : known * decay + durationMs * (1 - decay);
  }

  /** Takes the jobs that came last, of which there is one at least: the next may have payloads as long as theirs. */
  brought(jobs: readonly { readonly reserved: Pick<ReservedJob, 'body'> }[]): void {
    const length = jobs.reduce((sum, { reserved }) => sum + reserved.body.length, 0);
    this.#payloadLength = Math.max(1, length / jobs.length);
  }

  /**
   * Jobs were held and no slot came free for them. Until one does none are held: taking back what was given back
   * would keep it from whoever is idle.
   */
  heldInVain(): void {
    this.#isStalled = true;
  }

  /** How many jobs to hold beyond the free slots: none before the first job has shown how long it takes. */
  get ahead(): number {
    if (this.#estimateMs === undefined || this.#isStalled) return 0;
    const inTime = Math.floor((aheadMs * this.#concurrency) / Math.max(this.#estimateMs, 0.001));
    return Math.min(this.#most, inTime, Math.floor(aheadLength / this.#payloadLength));
  }
}

import { setMaxListeners } from 'node:events';
import type { Connector, Failure, Lease, Release, ReservedJob } from './connector.js';
import { isQueueError } from './errors.js';
import type { FailedJob } from './failed-jobs.js';
import { type FailedPlace, FailureRecords } from './failure-records.js';
import { Gather } from './gather.js';
import type { Logger } from './logger.js';
import { retrying } from './retrying.js';
import { type Deletion, Trips } from './trips.js';

/**
 * Settles jobs for the attempts of one worker, answering for each whether its lease was still held, and reserves the
 * next ones, as both share trips to the store.
 *
 * Settlements of one event-loop turn share a round trip. While the store is away a settlement is repeated
 * for as long as a lease lasts, since after that the job is due again anyway.
 */
export class Settler {
  readonly #connector: Connector;
  readonly #records: FailureRecords;
  readonly #leaseMs: number;
  readonly #logger: Logger;
  readonly #patience = new AbortController();
  readonly #inline: boolean;
  readonly #trips: Trips;
  readonly #releases: Gather<Release>;
  readonly #thrown: Gather<Release>;
  readonly #postponed: Gather<Release>;
  readonly #givenBack: Gather<Lease>;
  readonly #failures: Gather<Failure>;
  readonly #bodies: Gather<ReservedJob, string | undefined>;

  /** @param inline settle at once instead of once a turn: nobody else is there to share a trip with. */
  constructor(
    connector: Connector,
    failedPlace: FailedPlace,
    leaseMs: number,
    logger: Logger,
    inline = false,
  ) {
    this.#connector = connector;
    this.#records = new FailureRecords(connector, failedPlace, leaseMs, logger);
    this.#leaseMs = leaseMs;
    setMaxListeners(0, this.#patience.signal); // one for each settlement that waits for its store
    this.#logger = logger;
    this.#trips = new Trips(connector, (leases, error) => this.#deleteAgain(leases, error));
    this.#inline = inline;
    this.#releases = new Gather(inline, (releases) =>
      this.#persist('release', () => connector.release(releases)),
    );
    this.#thrown = new Gather(inline, (releases) =>
      this.#persist('release', () => releaseThrown(connector, releases)),
    );
    this.#postponed = new Gather(inline, (releases) =>
      this.#persist(
        'postpone',
        async () => (await connector.postpone?.(releases)) ?? releases.map(() => false),
      ),
    );
    this.#givenBack = new Gather(inline, (leases) =>
      this.#persist('give back', () => giveBack(connector, leases)),
    );
    this.#failures = new Gather(inline, (failures) => this.#persistFailures(failures));
    this.#bodies = new Gather(inline, (jobs) => this.#bodiesOf(jobs));
  }

  delete(lease: Lease): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.deleteWithNext({ lease, deleted: resolve, notDeleted: reject });
    });
  }

  /** As `delete`, without a promise for each job. */
  deleteWithNext(deletion: Deletion): void {
    if (this.#inline) this.#deleteNow(deletion);
    else this.#trips.take(deletion);
  }

  /**
   * The connector's `reserve`, in one trip with the deletes of this turn where the store can. One call at a time.
   *
   * @param atOnce with the deletes until now: see `Trips.reserve`.
   */
  reserve(
    queues: readonly string[],
    limit: number,
    leaseMs: number,
    atOnce: boolean,
  ): Promise<ReservedJob[]> {
    return this.#trips.reserve(queues, limit, leaseMs, atOnce);
  }

  /** @param body what the job goes on with, where its connection's form notes failures. */
  release(lease: Lease, delayMs: number, body?: string): Promise<boolean> {
    return this.#releases.add({ lease, delayMs, ...(body !== undefined && { body }) });
  }

  /** Whether the store keeps count of the errors that a job's handler threw. */
  get canCountThrown(): boolean {
    return this.#connector.releaseThrown !== undefined;
  }

  /** Releases a job whose handler threw, and counts that where `canCountThrown`. */
  releaseThrown(lease: Lease, delayMs: number): Promise<boolean> {
    return this.#thrown.add({ lease, delayMs });
  }

  /** Whether the store can release a job with its attempt unspent. */
  get canPostpone(): boolean {
    return this.#connector.postpone !== undefined;
  }

  /** Whether a record is kept of a job that fails. */
  get keepsFailures(): boolean {
    return this.#records.areKept;
  }

  /** Releases a job whose attempt shall not count; only where `canPostpone`. */
  postpone(lease: Lease, delayMs: number): Promise<boolean> {
    return this.#postponed.add({ lease, delayMs });
  }

  /** Returns a job whose attempt shall not count, where the store can; else it counts. */
  giveBack(lease: Lease): Promise<boolean> {
    return this.#givenBack.add(lease);
  }

  /** Records the failure, then deletes the job. While the record cannot be written, the job stays. */
  fail(lease: Lease, record: FailedJob): Promise<boolean> {
    return this.#failures.add({ lease, record });
  }

  /** Aborts when a stopping worker waits no longer for what is under way. */
  get patience(): AbortSignal {
    return this.#patience.signal;
  }

  /** As {@link FailureRecords.isRecorded}. */
  isRecorded(job: ReservedJob, connection: string): Promise<boolean> {
    return this.#records.isRecorded(job, connection);
  }

  /** The body of a held job that is not known here; undefined where its lease was lost, or the store tells of none. */
  bodyOf(job: ReservedJob): Promise<string | undefined> {
    return this.#bodies.add(job);
  }

  /** Ends the repeating: a stopping worker waits no longer for a store that is away. */
  giveUp(): void {
    this.#patience.abort();
  }

  /**
   * Repeats a settlement while its store is away. A job that is gone after a try whose reply was lost was
   * settled by that try; one that is gone without such a try is another worker's.
   */
  async #persist(
    verb: string,
    call: () => Promise<boolean[]>,
    afterLostReply = (held: readonly boolean[]): Promise<boolean[]> | boolean[] => held.map(() => true),
  ): Promise<boolean[]> {
    let replyLost = false;
    const held = await retrying(call, {
      forMs: this.#leaseMs,
      signal: this.#patience.signal,
      onRetry: (error, waitMs) => {
        replyLost ||= isQueueError(error) && error.ambiguous;
        this.#logger.warn({ err: error, waitMs }, `could not ${verb}; trying again`);
      },
    });
    return replyLost && held.includes(false) ? afterLostReply(held) : held;
  }

  #bodiesOf(jobs: readonly ReservedJob[]): Promise<(string | undefined)[]> {
    return retrying(async () => (await this.#connector.bodiesOf?.(jobs)) ?? jobs.map(() => undefined), {
      forMs: this.#leaseMs,
      signal: this.#patience.signal,
    });
  }

  #deleteNow(deletion: Deletion): void {
    const leases = [deletion.lease];
    const first = this.#connector.delete(leases);
    first
      .catch((error: unknown) => this.#deleteAgain(leases, error))
      .then(
        ([held]) => deletion.deleted(held === true),
        (error: unknown) => deletion.notDeleted(error),
      );
  }

  /** Goes on after a first try that ended with an error. */
  #deleteAgain(leases: readonly Lease[], error: unknown): Promise<boolean[]> {
    let first: { error: unknown } | undefined = { error };
    return this.#persist('delete', async () => {
      if (!first) return await this.#connector.delete(leases);
      const { error: thrown } = first;
      first = undefined;
      throw thrown;
    });
  }

  #persistFailures(failures: readonly Failure[]): Promise<boolean[]> {
    return this.#persist(
      'fail',
      () => this.#records.recordAndDelete(failures),
      (held) => this.#records.onRecord(failures, held),
    );
  }
}

function releaseThrown(connector: Connector, releases: readonly Release[]): Promise<boolean[]> {
  return connector.releaseThrown ? connector.releaseThrown(releases) : connector.release(releases);
}

async function giveBack(connector: Connector, leases: readonly Lease[]): Promise<boolean[]> {
  if (connector.unreserve) return connector.unreserve(leases);
  return connector.release(leases.map((lease) => ({ lease, delayMs: 0 })));
}

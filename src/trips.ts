import { AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connector, Lease, ReservedJob } from './connector.js';
import { isQueueError } from './errors.js';

/**
 * From so many deletions on they are a trip of their own, where that is worth it:
 *
 * - A store in this process has the reserve a turn of the event loop later. V8 collects between turns, and finds neither the
 *   jobs that were done nor the next ones in memory. A commit more is nothing among as many jobs.
 * - A store that answers calls in their order has them while another trip is under way, which would else go before them: it
 *   deletes while the jobs that it brought are read here, and the next trip has less to say.
 */
const manyDeletions = 32;

/** A job to delete, and who is told what became of it. */
export interface Deletion {
  readonly lease: Lease;
  /** Answers whether the lease was held. */
  deleted(held: boolean): void;
  notDeleted(error: unknown): void;
}

interface Reservation {
  readonly queues: readonly string[];
  readonly limit: number;
  readonly leaseMs: number;
  resolve(jobs: ReservedJob[]): void;
  reject(error: unknown): void;
}

/**
 * Takes done jobs to the store and brings the next: in one trip where the store can, and one trip at a time but for
 * {@link manyDeletions}, so that what is asked for meanwhile shares the next one. The busier a worker, the fewer its trips.
 */
export class Trips {
  readonly #connector: Connector;
  readonly #deleteAgain: (leases: readonly Lease[], error: unknown) => Promise<boolean[]>;
  #deletions: Deletion[] = [];
  #reservation: Reservation | undefined;
  #state: 'resting' | 'leaving' | 'under-way' = 'resting';
  #depart = (): void => {
    if (this.#state === 'leaving') void this.#travel(); // else it has left already
  };
  #sendAhead = (): void => {
    const isWaiting = this.#state === 'under-way' && this.#deletions.length >= manyDeletions;
    if (isWaiting) void this.#delete(this.#takeDeletions());
  };
  #isBound = false;

  /** @param deleteAgain deletes jobs whose first trip ended with this error, with the patience of a settlement. */
  constructor(
    connector: Connector,
    deleteAgain: (leases: readonly Lease[], error: unknown) => Promise<boolean[]>,
  ) {
    this.#connector = connector;
    this.#deleteAgain = deleteAgain;
  }

  /** Deletes a job with the next trip, or before it. */
  take(deletion: Deletion): void {
    this.#deletions.push(deletion);
    this.#leave();
    if (this.#deletions.length === manyDeletions && this.#connector.isPipelined)
      setImmediate(this.#sendAhead);
  }

  /**
   * Reserves with the next trip. One call at a time. Rejects with the error of that trip.
   *
   * @param atOnce not to wait for what this turn brings: there are jobs to run while the trip is under way, or none that could end.
   */
  reserve(queues: readonly string[], limit: number, leaseMs: number, atOnce = false): Promise<ReservedJob[]> {
    if (!this.#isBound) {
      // In the context of the worker, which reserves: a handler that deletes its job must not have others told of in its own.
      this.#depart = AsyncResource.bind(this.#depart);
      this.#sendAhead = AsyncResource.bind(this.#sendAhead);
      this.#isBound = true;
    }
    return new Promise((resolve, reject) => {
      this.#reservation = { queues, limit, leaseMs, resolve, reject };
      if (!atOnce || this.#state === 'under-way') this.#leave();
      else if (this.#connector.isInProcess) this.#leaveSoon();
      else void this.#travel();
    });
  }

  /** At the end of this turn of the event loop, so that what the turn brings travels together. */
  #leave(): void {
    if (this.#state !== 'resting') return;
    this.#state = 'leaving';
    setImmediate(this.#depart);
  }

  /** Once nothing is left to run of what is ready: of a store in this process nobody would have a part meanwhile. */
  #leaveSoon(): void {
    this.#state = 'leaving';
    process.nextTick(this.#depart);
  }

  async #travel(): Promise<void> {
    this.#state = 'under-way';
    const reservation = this.#reservation;
    this.#reservation = undefined;
    if (reservation && this.#connector.isInProcess && this.#deletions.length >= manyDeletions) {
      await this.#oneAfterTheOther(reservation);
      return;
    }
    const deletions = this.#takeDeletions();
    if (deletions.length === 0) {
      if (reservation) await this.#reserve(reservation, () => this.#arrived());
      else this.#arrived();
    } else if (reservation && this.#connector.deleteAndReserve) {
      await this.#both(deletions, reservation);
    } else {
      await Promise.all([this.#delete(deletions), reservation && this.#reserve(reservation)]);
      this.#arrived();
    }
  }

  /** Holds none of the deletions itself while the turn ends. */
  async #oneAfterTheOther(reservation: Reservation): Promise<void> {
    await this.#delete(this.#takeDeletions());
    await nextTurn();
    await this.#reserve(reservation, () => this.#arrived());
  }

  #takeDeletions(): Deletion[] {
    const deletions = this.#deletions;
    this.#deletions = [];
    return deletions;
  }

  /** Before anybody is told: whoever gets jobs may send for more before it runs them. */
  #arrived(): void {
    this.#state = 'resting';
    if (this.#deletions.length > 0 || this.#reservation) this.#leave();
  }

  async #both(deletions: readonly Deletion[], reservation: Reservation): Promise<void> {
    const { queues, limit, leaseMs } = reservation;
    const leases = deletions.map(({ lease }) => lease);
    let answer: Awaited<ReturnType<NonNullable<Connector['deleteAndReserve']>>> | undefined;
    try {
      answer = await this.#connector.deleteAndReserve?.(leases, queues, limit, leaseMs);
    } catch (error) {
      this.#arrived();
      void this.#again(deletions, error);
      reservation.reject(error);
      return;
    }
    this.#arrived();
    reservation.resolve(answer?.jobs ?? []);
    answerAll(deletions, answer?.held ?? []);
  }

  async #delete(deletions: readonly Deletion[]): Promise<void> {
    let held: boolean[];
    try {
      held = await this.#connector.delete(deletions.map(({ lease }) => lease));
    } catch (error) {
      // Not awaited: a store that is away must not hold up the trips that would show that it is back.
      void this.#again(deletions, error);
      return;
    }
    answerAll(deletions, held);
  }

  async #reserve(
    { queues, limit, leaseMs, resolve, reject }: Reservation,
    arrived: () => void = () => {},
  ): Promise<void> {
    try {
      const jobs = await this.#connector.reserve(queues, limit, leaseMs);
      arrived();
      resolve(jobs);
    } catch (error) {
      arrived();
      reject(error);
    }
  }

  async #again(deletions: readonly Deletion[], error: unknown): Promise<void> {
    const leases = deletions.map(({ lease }) => lease);
    try {
      answerAll(deletions, await this.#deleteAgain(leases, error));
    } catch (last) {
      if (deletions.length === 1 || (isQueueError(last) && last.transient)) {
        for (const deletion of deletions) deletion.notDeleted(last);
      } else {
        // What the store refuses may be one of them: the others shall not go down with it.
        for (const deletion of deletions) await this.#deleteAlone(deletion, last);
      }
    }
  }

  async #deleteAlone(deletion: Deletion, refusal: unknown): Promise<void> {
    let held: boolean | undefined;
    try {
      [held] = await this.#connector.delete([deletion.lease]);
    } catch (error) {
      return deletion.notDeleted(error);
    }
    // One that is gone may have gone with the call that was refused.
    deletion.deleted(held === true || (isQueueError(refusal) && refusal.ambiguous));
  }
}

function answerAll(deletions: readonly Deletion[], held: readonly boolean[]): void {
  for (let index = 0; index < deletions.length; index++) deletions[index]?.deleted(held[index] === true);
}

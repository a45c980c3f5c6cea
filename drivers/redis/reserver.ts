import type { Lease, ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import { EarlyReserve } from './early-reserve.js';
import { QueuePlaces } from './keys.js';
import { memberOf } from './member.js';
import { NextReserve } from './next-reserve.js';
import { randomDigits } from './random-digits.js';
import { heldIn, jobsOf, type ReservedBatch } from './reserved-batch.js';
import { type AheadReserve, ReservesAhead } from './reserves-ahead.js';
import { StandingReserves } from './standing-reserves.js';
import { Watch } from './watch.js';

/** Jobs, signals, looks, deletions and what went wrong with beats, as the script answers them. */
type ReserveReply = [
  reserved: ReservedBatch,
  signals: (Buffer | null)[],
  looks: number[],
  held: Buffer,
  problem: Buffer,
];

/** Jobs that were reserved, and which of the deletions before were of held leases. */
export interface Reserved {
  readonly held: boolean[];
  readonly jobs: ReservedJob[];
}

/** What one trip has brought. */
interface Sent extends Reserved {
  /** How many jobs were asked for: not all that were wanted where the others are sent for ahead. */
  readonly limit: number;
  /** Whether the server had taken jobs before, for who waited for the same queue, that are here or on their way. */
  readonly isBehind?: boolean;
}

const none: Reserved = { held: [], jobs: [] };

/** Reserves jobs, and waits for them. */
export class Reserver {
  readonly #parts: RedisParts;
  readonly #watch: Watch;
  readonly #early: EarlyReserve;
  readonly #standing: StandingReserves;
  readonly #next: NextReserve;
  readonly #ahead: ReservesAhead;
  readonly #settle: Settling;

  constructor(parts: RedisParts, settle: Settling) {
    this.#parts = parts;
    this.#settle = settle;
    const { keys, isOneSlot, session } = parts;
    const onError = this.#onError;
    this.#next = new NextReserve(parts);
    this.#early = new EarlyReserve({
      reserve: async (queues, limit, leaseMs) => (await this.#send([], queues, limit, leaseMs)).jobs,
      giveBack: (jobs) => settle.unreserve(jobs.map(({ lease }) => lease)),
      onError,
    });
    this.#ahead = new ReservesAhead({ next: this.#next, giveBack: (jobs) => this.#early.giveBack(jobs) });
    this.#watch = new Watch({
      keys,
      isOneSlot,
      look: (queues) => this.#look(isOneSlot ? [queues] : queues.map((queue) => [queue])),
      open: (key) => session.openBlocking(key),
      rouse: (queue) => this.#rouse(queue),
      take: (queue) => this.#standing.next(queue),
      hasTaken: (queues) => this.#early.has(queues),
      heard: (queues) => this.#early.heard(queues),
      onError,
    });
    this.#standing = new StandingReserves({
      parts,
      early: this.#early,
      id: this.#watch.id,
      filled: (queue) => {
        this.#watch.left(queue);
        this.#rouse(queue).catch(onError);
      },
    });
  }

  /** Names this connector to the others that wait. */
  get id(): string {
    return this.#watch.id;
  }

  /** The contract's `deleteAndReserve`. */
  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<Reserved> {
    const names = queues.length === 1 ? queues : [...new Set(queues)];
    const [queue = ''] = names;
    const ahead = names.length === 1 && limit > 0 ? this.#ahead.take(queue, leaseMs) : undefined;
    if (ahead !== undefined) return await this.#takeAhead(leases, ahead, limit);
    const early = this.#early.take(names, limit, leaseMs);
    if (early !== undefined) {
      this.#next.went(names, limit, []); // it had to be waited for
      return await this.#deleteBeside(leases, early);
    }
    const sent = this.#send(leases, names, limit, leaseMs);
    const { held, jobs: later, limit: asked, isBehind } = await this.#early.during(names, sent);
    this.#next.went(names, asked, later);
    const jobs = (isBehind && (await this.#early.take(names, limit, leaseMs, later))) || later;
    this.#early.asked(names, asked, leaseMs, jobs.length);
    return { held, jobs };
  }

  /** A part that was sent for ahead; the next one follows it. */
  async #takeAhead(leases: readonly Lease[], ahead: AheadReserve, limit: number): Promise<Reserved> {
    const { queue, most } = ahead;
    const taking = this.#deleteBeside(leases, ahead.jobs);
    this.#ahead.goOn(ahead, limit - most);
    const { held, jobs } = await taking;
    this.#next.went([queue], most, jobs);
    if (jobs.length > limit) void this.#early.giveBack(jobs.slice(limit));
    if (jobs.length > 0) return { held, jobs: jobs.slice(0, limit) };
    const more = this.deleteAndReserve([], [queue], limit, ahead.leaseMs);
    // With the error deletions that were done would be repeated; the next reserve tells it too.
    return { held, jobs: (await (leases.length > 0 ? more.catch(() => none) : more)).jobs };
  }

  /** The jobs are there, or on their way; the deletions were not known yet when they were asked for. */
  async #deleteBeside(leases: readonly Lease[], early: Promise<ReservedJob[]>): Promise<Reserved> {
    if (leases.length === 0) return { held: [], jobs: await early };
    const [held, jobs] = await Promise.allSettled([this.#settle.delete(leases), early]);
    const reserved = jobs.status === 'fulfilled' ? jobs.value : [];
    // Repeated, deletions that were done would seem to be of lost leases; what is wrong the next reserve tells too.
    if (held.status === 'fulfilled') return { held: held.value, jobs: reserved };
    void this.#early.giveBack(reserved);
    throw held.reason;
  }

  /** The contract's `waitForJob`. */
  wait(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    return this.#watch.wait([...new Set(queues)], maxWaitMs, signal);
  }

  /** What is here or on its way for queues of which older jobs go back; undefined where nothing is. */
  takeBack(leases: readonly Lease[]): Promise<readonly ReservedJob[]> | undefined {
    if (this.#ahead.isEmpty) return undefined;
    const queues = [...new Set(leases.map(({ queue }) => queue))];
    return Promise.all(queues.map((queue) => this.#ahead.takeBack(queue))).then((jobs) => jobs.flat());
  }

  /** Ends all waits, and leaves the watching to others. */
  async close(): Promise<void> {
    await this.#watch.close();
    await Promise.all([this.#early.close(), this.#ahead.close()]);
    await this.leaveWatch();
  }

  /** Leaves the watching to others, where nobody waits here: what is pushed next is not taken for who has stopped. */
  async leaveWatch(): Promise<void> {
    const { session, wire, keys } = this.#parts;
    const { id } = this.#watch;
    // Where that fails, the others see within seconds that nobody watches.
    const stop = (queue: string) => session.script(wire.scripts.unwatch, keys.ofQueue(queue), [id]);
    await Promise.allSettled(this.#watch.leaveIdle().map(stop));
  }

  #rouse(queue: string): Promise<unknown> {
    const { keys, session, wire } = this.#parts;
    return session.script(wire.scripts.rouse, keys.ofQueue(queue), []);
  }

  readonly #onError = (error: unknown): void =>
    this.#parts.logger.debug({ err: error }, 'a waiting connection failed; looking once a second');

  /** One script. It takes along what else there is to say and to ask: beats, signals, and what a wait may go by. */
  async #send(
    leases: readonly Lease[],
    names: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<Sent> {
    const returned = limit > 0 ? this.#early.returned(names) : undefined;
    if (returned !== undefined) await returned;
    const { keys, isOneSlot, signals: store, workers, session, wire } = this.#parts;
    const watch = this.#watch;
    const random = randomDigits();
    const signals = store.toReadAlong();
    const beats = workers.take();
    const [queue = ''] = names;
    const isPlain = wire.takesPlainly && names.length === 1 && signals.length === 0 && beats.length === 0;
    if (isPlain && !watch.watchesOneOf(names) && this.#next.suits(leases, queue, limit)) {
      // On a Cluster a worker may take from several queues so, and would take less than all for the end of one.
      const first = isOneSlot ? this.#ahead.firstOf(queue, limit) : limit;
      const reserving = this.#next.reserve(leases, queue, first, leaseMs, random);
      if (first < limit) this.#ahead.begin(queue, first, leaseMs);
      const next = await reserving;
      if (next !== undefined) return { ...next, limit: first };
    }
    const places = new QueuePlaces(keys);
    for (const queue of names) places.placeOf(queue);
    const deletions = deletionsOf(leases, places);
    const reply = await session.script<ReserveReply>(
      wire.scripts.reserve,
      [...places.keys, ...signals, ...(beats.length > 0 ? workers.keys : [])],
      [
        names.length,
        limit,
        leaseMs,
        random,
        watch.idFor(names),
        watch.watchesOneOf(names) ? 1 : 0,
        places.keys.length,
        signals.length,
        beats.length / 3,
        ...beats,
        ...deletions,
      ],
    );
    const [reserved, values, looks, held, problem] = reply;
    workers.told(problem.toString());
    for (const [index, key] of signals.entries()) store.told(key, values[index]?.toString() ?? null);
    let isBehind = false;
    for (const [index, queue] of names.entries()) {
      const [ready, dueInMs, isWatched, taken = 0] = looks.slice(index * 4);
      if (ready !== undefined) watch.looked(queue, ready, dueInMs ?? -1, isWatched === 1);
      if (taken > 0) isBehind = this.#standing.ranBefore(queue, taken) || isBehind;
    }
    return {
      held: heldIn(held, leases.length),
      jobs: jobsOf(reserved, names, random, wire.members),
      limit,
      isBehind,
    };
  }

  /** Reserves nothing; what it sees is told to the watch. */
  async #look(groups: readonly (readonly string[])[]): Promise<void> {
    await Promise.all(groups.map((queues) => this.#send([], queues, 0, 0)));
  }
}

/** The verbs that a reserver needs beside its own. */
export interface Settling {
  delete(leases: readonly Lease[]): Promise<boolean[]>;
  unreserve(leases: readonly Lease[]): Promise<boolean[]>;
}

/** What the script deletes first: those of a queue behind its place and their number. */
function deletionsOf(leases: readonly Lease[], places: QueuePlaces): (number | string | Buffer)[] {
  const found: (number | string | Buffer)[] = [];
  let queueBefore: string | undefined;
  let countAt = 0;
  for (const { queue, handle } of leases) {
    if (queue !== queueBefore) countAt = found.push(places.placeOf(queue), 0) - 1;
    queueBefore = queue;
    found[countAt] = (found[countAt] as number) + 1;
    found.push(memberOf(handle));
  }
  return found;
}

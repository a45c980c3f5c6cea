import type { Lease, ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import type { FollowUp } from './ear.js';
import { EarlyReserve } from './early-reserve.js';
import { QueuePlaces } from './keys.js';
import { handleOf, memberOf, textOf } from './member.js';
import { NextReserve } from './next-reserve.js';
import { randomDigits } from './random-digits.js';
import { heldIn, type ReservedBatch, readBatch } from './reserved-batch.js';
import { takeScript } from './take-script.js';
import { Watch } from './watch.js';
import type { MemberCodec } from './wire.js';

/** Jobs, signals, looks, deletions and what went wrong with beats, as the script answers them. */
type ReserveReply = [
  reserved: ReservedBatch,
  signals: (Buffer | null)[],
  looks: number[],
  held: Buffer,
  problem: Buffer,
];

/** Tokens and members, and whether the queue is watched no more, as the short script answers them. */
type TakeReply = [found: Buffer[], isLeft: number];

/** Jobs that were reserved, and which of the deletions before were of held leases. */
export interface Reserved {
  readonly held: boolean[];
  readonly jobs: ReservedJob[];
}

/** Reserves jobs, and waits for them. */
export class Reserver {
  readonly #parts: RedisParts;
  readonly #watch: Watch;
  readonly #early: EarlyReserve;
  readonly #next: NextReserve;
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
    this.#watch = new Watch({
      keys,
      isOneSlot,
      look: (queues) => this.#look(isOneSlot ? [queues] : queues.map((queue) => [queue])),
      open: (key) => session.openBlocking(key),
      rouse: (queue) => this.#rouse(queue),
      take: (queue) => this.#take(queue),
      hasTaken: (queues) => this.#early.has(queues),
      heard: (queues) => this.#early.heard(queues),
      onError,
    });
  }

  /** The contract's `deleteAndReserve`. */
  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<Reserved> {
    const names = queues.length === 1 ? queues : [...new Set(queues)];
    const early = this.#early.take(names, limit, leaseMs);
    if (early !== undefined) {
      this.#next.went(names, limit, 0); // it had to be waited for
      return await this.#deleteBeside(leases, early);
    }
    const reserved = await this.#send(leases, names, limit, leaseMs);
    this.#next.went(names, limit, reserved.jobs.length);
    this.#early.asked(names, limit, leaseMs, reserved.jobs.length);
    return reserved;
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

  /** Ends all waits, and leaves the watching to others. */
  async close(): Promise<void> {
    await this.#watch.close();
    await this.#early.close();
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

  /** By the short script, where that can tell anything of these queues. */
  #take(queue: string): FollowUp | undefined {
    const { keys, wire } = this.#parts;
    const asked = this.#early.wanted([queue]);
    if (asked === undefined || !wire.pushesPlainly) return undefined;
    const { limit, leaseMs } = asked;
    const [list = '', , reserved = '', , , , watcher = ''] = keys.ofQueue(queue);
    const sentMs = performance.now();
    return {
      script: takeScript,
      keys: [list, reserved, watcher],
      args: [limit, leaseMs, randomDigits(), this.#watch.id],
      withinMs: leaseMs / 4,
      answered: (answer) => this.#taken(queue, leaseMs, sentMs, answer as TakeReply),
    };
  }

  #taken(queue: string, leaseMs: number, sentMs: number, [found, isLeft]: TakeReply): boolean {
    if (isLeft === 1) {
      this.#watch.left(queue);
      this.#rouse(queue).catch(this.#onError);
    }
    if (found.length === 0) return false;
    const jobs: ReservedJob[] = [];
    for (let at = 0; at < found.length; at += 2) {
      const [token, member] = found.slice(at, at + 2) as [Buffer, Buffer];
      jobs.push(jobOf(queue, token.toString('latin1'), textOf(member), nothing, this.#parts.wire.members));
    }
    // Who waits is given jobs as if they were reserved now. An answer that came long ago, while the event loop was
    // blocked or the process stopped, does not say how much is left of their leases.
    if (performance.now() - sentMs > leaseMs / 3) void this.#early.giveBack(jobs);
    else this.#early.taken([queue], leaseMs, jobs);
    return true;
  }

  /** One script. It takes along what else there is to say and to ask: beats, signals, and what a wait may go by. */
  async #send(
    leases: readonly Lease[],
    names: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<Reserved> {
    const { keys, signals: store, workers, session, wire } = this.#parts;
    const watch = this.#watch;
    const random = randomDigits();
    const signals = store.toReadAlong();
    const beats = workers.take();
    const [queue = ''] = names;
    const isPlain = wire.takesPlainly && names.length === 1 && signals.length === 0 && beats.length === 0;
    if (isPlain && !watch.watchesOneOf(names) && this.#next.suits(leases, queue, limit)) {
      const next = await this.#next.reserve(leases, queue, limit, leaseMs, random);
      if (next !== undefined) return next;
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
    for (const [index, queue] of names.entries()) {
      const [ready, dueInMs, isWatched] = looks.slice(index * 3);
      if (ready !== undefined) watch.looked(queue, ready, dueInMs ?? -1, isWatched === 1);
    }
    return { held: heldIn(held, leases.length), jobs: jobsOf(reserved, names, random, wire.members) };
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

function jobsOf(
  batch: ReservedBatch,
  queues: readonly string[],
  random: string,
  members: MemberCodec,
): ReservedJob[] {
  const jobs: ReservedJob[] = [];
  readBatch(batch, random, (number, token, member, kept) => {
    jobs.push(jobOf(queues[number - 1] ?? '', token, member, kept, members));
  });
  return jobs;
}

/** No body is kept beside the member. */
const nothing = Buffer.alloc(0);

function jobOf(
  queue: string,
  token: string,
  member: string | Buffer,
  kept: Buffer,
  members: MemberCodec,
): ReservedJob {
  return { queue, ...members.held(member, kept, token), lease: { queue, token, handle: handleOf(member) } };
}

import { randomBytes } from 'node:crypto';
import type {
  Clock,
  Connector,
  Failure,
  Finding,
  Lease,
  LiveJob,
  Logger,
  NewJob,
  Peek,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
} from '../../src/index.js';
import type { Commands } from './commands.js';
import { diagnoseServer } from './diagnose.js';
import { RedisFailedJobs } from './failed-jobs.js';
import { RedisHistory } from './history.js';
import { type Keys, QueuePlaces } from './keys.js';
import { handleOf, memberOf } from './member.js';
import { RedisPeek } from './peek.js';
import { Pusher } from './push.js';
import { inTurn, sizeOf } from './replies.js';
import type { Script } from './script.js';
import type { Scripts } from './scripts.js';
import type { RedisSignals } from './signals.js';
import { RedisStatistics } from './statistics.js';
import { Watch } from './watch.js';
import type { MemberCodec, RedisWire } from './wire.js';
import type { RedisWorkers } from './workers.js';

type Argument = string | number | Buffer;

/** Jobs, signals, looks, deletions and what went wrong with beats, as the script answers them. */
type ReserveReply = [
  reserved: (number | Buffer)[],
  signals: (Buffer | null)[],
  looks: number[],
  held: number[],
  problem: Buffer,
];

/** What a connector is made of. */
export interface RedisParts {
  readonly wire: RedisWire;
  readonly session: Commands;
  readonly keys: Keys;
  readonly signals: RedisSignals;
  readonly workers: RedisWorkers;
  readonly logger: Logger;
  /** Of this host. */
  readonly clock: Clock;
  /** True where one command may name the keys of several queues. */
  readonly isOneSlot: boolean;
}

/** The contract on Redis: each verb is one script. */
export class RedisConnector implements Connector {
  readonly failedJobs: RedisFailedJobs;
  readonly signals: RedisSignals;
  readonly statistics: RedisStatistics;
  readonly history: RedisHistory;
  readonly workers: RedisWorkers;
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #watch: Watch;
  readonly #pusher: Pusher;
  readonly #peek: RedisPeek;
  readonly #clock: Clock;
  readonly #scripts: Scripts;
  readonly #members: MemberCodec;
  /** Absent where members have no place for the count. */
  readonly releaseThrown?: (releases: readonly Release[]) => Promise<boolean[]>;

  constructor({ wire, session, keys, signals, workers, logger, clock, isOneSlot }: RedisParts) {
    this.#scripts = wire.scripts;
    this.#members = wire.members;
    const { releaseThrown } = wire.scripts;
    if (releaseThrown) this.releaseThrown = (releases) => this.#release(releaseThrown, releases);
    this.#clock = clock;
    this.#session = session;
    this.#keys = keys;
    this.signals = signals;
    this.workers = workers;
    this.#pusher = new Pusher(session, keys, wire);
    this.#peek = new RedisPeek(session, keys, wire.members);
    this.failedJobs = new RedisFailedJobs(session, keys, wire);
    this.statistics = new RedisStatistics(session, keys);
    this.history = new RedisHistory(session, keys);
    this.#watch = new Watch({
      keys,
      isOneSlot,
      look: (queues) => this.#look(isOneSlot ? [queues] : queues.map((queue) => [queue])),
      open: (key) => session.openBlocking(key),
      rouse: (queue) => session.script(wire.scripts.rouse, keys.ofQueue(queue), []),
      onError: (error) => logger.debug({ err: error }, 'a waiting connection failed; looking once a second'),
    });
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#pusher.push(queue, jobs);
  }

  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    const { jobs } = await this.deleteAndReserve([], queues, limit, leaseMs);
    return jobs;
  }

  /** One script. It takes along what else there is to say and to ask: beats, signals, and what a wait may go by. */
  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<{ held: boolean[]; jobs: ReservedJob[] }> {
    const names = [...new Set(queues)];
    const places = new QueuePlaces(this.#keys);
    for (const queue of names) places.placeOf(queue);
    const deletions = leases.flatMap(({ queue, handle }) => [places.placeOf(queue), memberOf(handle)]);
    const signals = this.signals.toReadAlong();
    const beats = this.workers.take();
    const watch = this.#watch;
    const reply = await this.#session.script<ReserveReply>(
      this.#scripts.reserve,
      [...places.keys, ...signals, ...(beats.length > 0 ? this.workers.keys : [])],
      [
        names.length,
        limit,
        leaseMs,
        randomBytes(7).toString('hex'),
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
    this.workers.told(problem.toString());
    for (const [index, key] of signals.entries()) this.signals.told(key, values[index]?.toString() ?? null);
    for (const [index, queue] of names.entries()) {
      const [ready, dueInMs, isWatched] = looks.slice(index * 3);
      if (ready !== undefined) watch.looked(queue, ready, dueInMs ?? -1, isWatched === 1);
    }
    return { held: held.map((was) => was === 1), jobs: jobsOf(reserved, names, this.#members) };
  }

  waitForJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    return this.#watch.wait([...new Set(queues)], maxWaitMs, signal);
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return this.#settle(this.#scripts.extend, leases, () => [], [leaseMs]);
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    return this.#settle(this.#scripts.delete, leases);
  }

  release(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(this.#scripts.release, releases);
  }

  postpone(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release(this.#scripts.postpone, releases);
  }

  #release(script: Script, releases: readonly Release[]): Promise<boolean[]> {
    const leases = releases.map(({ lease }) => lease);
    return this.#settle(script, leases, (index) => [releases[index]?.delayMs ?? 0]);
  }

  unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    return inTurn(leases, (some) => this.#settle(this.#scripts.unreserve, some));
  }

  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.failedJobs.fail(failures);
  }

  async size(queue: string): Promise<QueueSize> {
    return sizeOf(await this.#session.script<number[]>(this.#scripts.size, this.#keys.ofQueue(queue), []));
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return this.#peek.peek(queue, options);
  }

  find(queue: string, id: string): Promise<LiveJob | null> {
    return this.#peek.find(queue, id);
  }

  async clear(queue: string, { reserved = false }: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    const args = [reserved ? '1' : '0'];
    const keys = [...this.#keys.ofQueue(queue), ...this.#keys.ofClear(queue)];
    return sizeOf(await this.#session.script<number[]>(this.#scripts.clear, keys, args));
  }

  /** Of a Cluster it is the node of the queue `default` that is asked. */
  diagnose(): Promise<Finding[]> {
    return this.#session.run(this.#keys.listOf('default'), (redis) => diagnoseServer(redis, this.#clock));
  }

  async close(): Promise<void> {
    const { watched, id } = this.#watch;
    this.#watch.close();
    this.workers.close();
    // Where that fails, the others see within seconds that nobody watches.
    const stop = (queue: string) =>
      this.#session.script(this.#scripts.unwatch, this.#keys.ofQueue(queue), [id]);
    await Promise.allSettled(watched.map(stop));
    await Promise.all([this.#session.close(), this.signals.close()]);
  }

  /** Reserves nothing; what it sees is told to the watch. */
  async #look(groups: readonly (readonly string[])[]): Promise<void> {
    await Promise.all(groups.map((queues) => this.reserve(queues, 0, 0)));
  }

  async #settle(
    script: Script,
    leases: readonly Lease[],
    more: (index: number) => readonly Argument[] = () => [],
    before: readonly Argument[] = [],
  ): Promise<boolean[]> {
    const places = new QueuePlaces(this.#keys);
    const args = leases.flatMap(({ queue, handle }, index) => [
      places.placeOf(queue),
      memberOf(handle),
      ...more(index),
    ]);
    const held = await this.#session.script<number[]>(script, places.keys, [...before, ...args]);
    return held.map((was) => was === 1);
  }
}

function jobsOf(reserved: ReserveReply[0], queues: readonly string[], members: MemberCodec): ReservedJob[] {
  const jobs: ReservedJob[] = [];
  for (let at = 0; at < reserved.length; at += 4) {
    const [number, token, member, body] = reserved.slice(at, at + 4) as [number, Buffer, Buffer, Buffer];
    const queue = queues[number - 1] ?? '';
    const lease = { queue, token: token.toString(), handle: handleOf(member) };
    jobs.push({ queue, ...members.held(member, body, lease.token), lease });
  }
  return jobs;
}

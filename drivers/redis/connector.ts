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
import { findingsOfEach } from './diagnosis-rules.js';
import { RedisFailedJobs } from './failed-jobs.js';
import { heldBodies } from './held-bodies.js';
import { RedisHistory } from './history.js';
import { type Keys, QueuePlaces } from './keys.js';
import { memberOf } from './member.js';
import { RedisPeek } from './peek.js';
import { Pusher } from './push.js';
import { inTurn, sizeOf } from './replies.js';
import { type Reserved, Reserver } from './reserver.js';
import type { Script } from './script.js';
import type { Scripts } from './scripts.js';
import type { RedisSignals } from './signals.js';
import { RedisStatistics } from './statistics.js';
import type { RedisWire } from './wire.js';
import type { RedisWorkers } from './workers.js';

type Argument = string | number | Buffer;

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
  /** While a trip is under way a hundred quick jobs are done, and a script costs its client as much as dozens of jobs in it. */
  readonly prefetch = 400;
  readonly isPipelined = true;
  readonly failedJobs: RedisFailedJobs;
  readonly signals: RedisSignals;
  readonly statistics: RedisStatistics;
  readonly history: RedisHistory;
  readonly workers: RedisWorkers;
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #reserver: Reserver;
  readonly #pusher: Pusher;
  readonly #peek: RedisPeek;
  readonly #clock: Clock;
  readonly #scripts: Scripts;
  /** Absent where members have no place for the count. */
  readonly releaseThrown?: (releases: readonly Release[]) => Promise<boolean[]>;
  /** Absent where members do not carry their leases. */
  readonly bodiesOf?: (jobs: readonly ReservedJob[]) => Promise<(string | undefined)[]>;

  constructor(parts: RedisParts) {
    const { wire, session, keys, signals, workers, clock } = parts;
    this.#scripts = wire.scripts;
    const { releaseThrown } = wire.scripts;
    if (releaseThrown) this.releaseThrown = (releases) => this.#release(releaseThrown, releases);
    if (wire.takesPlainly) this.bodiesOf = (jobs) => heldBodies(parts, jobs);
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
    this.#reserver = new Reserver(parts, {
      delete: (leases) => this.delete(leases),
      unreserve: (leases) => this.unreserve(leases),
    });
    workers.onLeave(() => this.#reserver.leaveWatch());
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#pusher.push(queue, jobs);
  }

  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    const { jobs } = await this.deleteAndReserve([], queues, limit, leaseMs);
    return jobs;
  }

  deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<Reserved> {
    return this.#reserver.deleteAndReserve(leases, queues, limit, leaseMs);
  }

  waitForJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    return this.#reserver.wait(queues, maxWaitMs, signal);
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
    const younger = this.#reserver.takeBack(leases);
    return younger === undefined ? this.#unreserve(leases) : this.#unreserveWith(younger, leases);
  }

  async #unreserveWith(
    younger: Promise<readonly ReservedJob[]>,
    leases: readonly Lease[],
  ): Promise<boolean[]> {
    const others = (await younger).map(({ lease }) => lease);
    return (await this.#unreserve([...leases, ...others])).slice(0, leases.length);
  }

  #unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    const { id } = this.#reserver;
    return inTurn(leases, (some) => this.#settle(this.#scripts.unreserve, some, () => [], [id]));
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

  async diagnose(): Promise<Finding[]> {
    return findingsOfEach(await this.#session.runOnEach((redis) => diagnoseServer(redis, this.#clock)));
  }

  async close(): Promise<void> {
    const closed = this.#reserver.close();
    this.workers.close();
    await closed;
    await Promise.all([this.#session.close(), this.signals.close()]);
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

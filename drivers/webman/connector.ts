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
import type { Commands } from '../redis/commands.js';
import { diagnoseServer } from '../redis/diagnose.js';
import { RedisHistory } from '../redis/history.js';
import { Keys as RedisKeys } from '../redis/keys.js';
import { inTurn, sizeOf } from '../redis/replies.js';
import type { Script } from '../redis/script.js';
import type { RedisSignals } from '../redis/signals.js';
import { RedisStatistics } from '../redis/statistics.js';
import { think3 } from '../redis/wire.js';
import type { RedisWorkers } from '../redis/workers.js';
import { WebmanFailedJobs } from './failed-jobs.js';
import type { Keys } from './keys.js';
import { readMember } from './member.js';
import { WebmanPeek } from './peek.js';
import { Pusher } from './push.js';
import {
  clearScript,
  deleteScript,
  extendScript,
  releaseScript,
  reserveScript,
  sizeScript,
  unreserveScript,
} from './queue-scripts.js';
import { Wait } from './wait.js';

/** Jobs, deletions and ms until the next job is due, as the script answers them. */
type ReserveReply = [reserved: (number | Buffer)[], deleted: number[], dueInMs: number];

/** What a connector is made of. */
export interface WebmanParts {
  readonly connection: string;
  readonly session: Commands;
  readonly keys: Keys;
  readonly signals: RedisSignals;
  readonly workers: RedisWorkers;
  readonly logger: Logger;
  /** Of this host. */
  readonly clock: Clock;
}

/** The contract on webman's keys: each verb is one script. */
export class WebmanConnector implements Connector {
  readonly failedJobs: WebmanFailedJobs;
  readonly signals: RedisSignals;
  readonly statistics: RedisStatistics;
  readonly history: RedisHistory;
  readonly workers: RedisWorkers;
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #pusher: Pusher;
  readonly #peek: WebmanPeek;
  readonly #wait: Wait;
  readonly #clock: Clock;

  constructor({ connection, session, keys, signals, workers, logger, clock }: WebmanParts) {
    const ours = new RedisKeys(keys.own, think3.listOf);
    this.#session = session;
    this.#keys = keys;
    this.#clock = clock;
    this.signals = signals;
    this.workers = workers;
    this.statistics = new RedisStatistics(session, ours);
    this.history = new RedisHistory(session, ours);
    this.failedJobs = new WebmanFailedJobs(session, keys, connection);
    this.#pusher = new Pusher(session, keys, clock);
    this.#peek = new WebmanPeek(session, keys);
    this.#wait = new Wait({
      keys,
      open: (key) => session.openBlocking(key),
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

  async deleteAndReserve(
    leases: readonly Lease[],
    queues: readonly string[],
    limit: number,
    leaseMs: number,
  ): Promise<{ held: boolean[]; jobs: ReservedJob[] }> {
    const names = [...new Set(queues)];
    const random = randomBytes(7).toString('hex');
    const [reserved, deleted, dueInMs] = await this.#session.script<ReserveReply>(
      reserveScript,
      this.#keys.all,
      [limit, leaseMs, random, names.length, ...names, ...leases.flatMap(named)],
    );
    this.#wait.looked(dueInMs);
    return { held: deleted.map((was) => was === 1), jobs: jobsOf(reserved, names) };
  }

  waitForJob(queues: readonly string[], maxWaitMs: number, signal: AbortSignal): Promise<void> {
    return this.#wait.sleep([...new Set(queues)], maxWaitMs, signal);
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return this.#settle(extendScript, [leaseMs, ...leases.flatMap(named)]);
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    return this.#settle(deleteScript, leases.flatMap(named));
  }

  release(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release('1', releases);
  }

  postpone(releases: readonly Release[]): Promise<boolean[]> {
    return this.#release('0', releases);
  }

  unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    return inTurn(leases, (some) => this.#settle(unreserveScript, some.flatMap(named)));
  }

  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.failedJobs.fail(failures);
  }

  /** Looks through the delayed packages of all queues, as webman keeps them in one set. */
  async size(queue: string): Promise<QueueSize> {
    return sizeOf(await this.#session.script<number[]>(sizeScript, this.#keys.all, [queue]));
  }

  async clear(queue: string, { reserved = false }: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    const args = [queue, reserved ? '1' : '0'];
    return sizeOf(await this.#session.script<number[]>(clearScript, this.#keys.all, args));
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return this.#peek.peek(queue, options);
  }

  find(queue: string, id: string): Promise<LiveJob | null> {
    return this.#peek.find(queue, id);
  }

  diagnose(): Promise<Finding[]> {
    return this.#session.run(this.#keys.failed, (redis) => diagnoseServer(redis, this.#clock));
  }

  async close(): Promise<void> {
    this.#wait.close();
    this.workers.close();
    await Promise.all([this.#session.close(), this.signals.close()]);
  }

  #release(spent: '1' | '0', releases: readonly Release[]): Promise<boolean[]> {
    const args = releases.flatMap(({ lease, delayMs, body = '' }) => [...named(lease), delayMs, body]);
    return this.#settle(releaseScript, [spent, ...args]);
  }

  async #settle(script: Script, args: readonly (string | number)[]): Promise<boolean[]> {
    const held = await this.#session.script<number[]>(script, this.#keys.all, args);
    return held.map((was) => was === 1);
  }
}

function named({ token, queue }: Lease): [token: string, queue: string] {
  return [token, queue];
}

function jobsOf(reserved: ReserveReply[0], queues: readonly string[]): ReservedJob[] {
  const jobs: ReservedJob[] = [];
  for (let at = 0; at < reserved.length; at += 3) {
    const [number, token, member] = reserved.slice(at, at + 3) as [number, Buffer, Buffer];
    const queue = queues[number - 1] ?? '';
    const lease = { queue, token: token.toString(), handle: '' };
    jobs.push({ queue, ...readMember(member), lease });
  }
  return jobs;
}

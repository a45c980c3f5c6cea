import { randomBytes } from 'node:crypto';
import type {
  Connector,
  Failure,
  Lease,
  NewJob,
  PushOutcome,
  QueueSize,
  Release,
  ReservedJob,
  SignalStore,
} from '../../src/index.js';
import { RedisFailedJobs } from './failed-jobs.js';
import { type Keys, QueuePlaces } from './keys.js';
import { handleOf, memberOf, readMember } from './member.js';
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
import type { Script } from './script.js';
import type { Session } from './session.js';

type Argument = string | number | Buffer;

/** The contract on Redis: each verb is one script. */
export class RedisConnector implements Connector {
  readonly failedJobs: RedisFailedJobs;
  readonly signals: SignalStore;
  readonly #session: Session;
  readonly #keys: Keys;
  readonly #pusher: Pusher;

  constructor(session: Session, keys: Keys) {
    this.#session = session;
    this.#keys = keys;
    this.#pusher = new Pusher(session, keys);
    this.failedJobs = new RedisFailedJobs(session, keys);
    this.signals = {
      read: (key) => session.run((redis) => redis.get(keys.ofSignal(key))),
      write: async (key, value) => {
        await session.run((redis) => redis.set(keys.ofSignal(key), value));
      },
    };
  }

  push(queue: string, jobs: readonly NewJob[]): Promise<PushOutcome[]> {
    return this.#pusher.push(queue, jobs);
  }

  async reserve(queues: readonly string[], limit: number, leaseMs: number): Promise<ReservedJob[]> {
    const names = [...new Set(queues)];
    const keys = names.flatMap((queue) => this.#keys.ofQueue(queue));
    const random = randomBytes(7).toString('hex');
    const reply = await this.#session.script<(number | Buffer)[]>(reserveScript, keys, [
      limit,
      leaseMs,
      random,
    ]);
    const jobs: ReservedJob[] = [];
    for (let at = 0; at < reply.length; at += 4) {
      const [number, token, member, body] = reply.slice(at, at + 4) as [number, Buffer, Buffer, Buffer];
      const queue = names[number - 1] ?? '';
      const lease = { queue, token: token.toString(), handle: handleOf(member) };
      jobs.push({ queue, ...readMember(member, body), lease });
    }
    return jobs;
  }

  extend(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    return this.#settle(extendScript, leases, () => [], [leaseMs]);
  }

  delete(leases: readonly Lease[]): Promise<boolean[]> {
    return this.#settle(deleteScript, leases);
  }

  release(releases: readonly Release[]): Promise<boolean[]> {
    const leases = releases.map(({ lease }) => lease);
    return this.#settle(releaseScript, leases, (index) => [releases[index]?.delayMs ?? 0]);
  }

  async unreserve(leases: readonly Lease[]): Promise<boolean[]> {
    // Each goes to the head of the list, so the first to come again is put there last. Tokens tell the order.
    const order = leases.map((lease, index) => ({ lease, index }));
    order.sort((a, b) => (a.lease.token < b.lease.token ? 1 : -1));
    const held = await this.#settle(
      unreserveScript,
      order.map(({ lease }) => lease),
    );
    const answers = new Array<boolean>(leases.length);
    for (const [at, { index }] of order.entries()) answers[index] = held[at] ?? false;
    return answers;
  }

  fail(failures: readonly Failure[]): Promise<boolean[]> {
    return this.failedJobs.fail(failures);
  }

  async size(queue: string): Promise<QueueSize> {
    return sizeOf(await this.#session.script<number[]>(sizeScript, this.#keys.ofQueue(queue), []));
  }

  async clear(queue: string, { reserved = false }: { readonly reserved?: boolean } = {}): Promise<QueueSize> {
    const args = [reserved ? '1' : '0'];
    return sizeOf(await this.#session.script<number[]>(clearScript, this.#keys.ofQueue(queue), args));
  }

  close(): Promise<void> {
    return this.#session.close();
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

function sizeOf([ready = 0, delayed = 0, reserved = 0]: readonly number[]): QueueSize {
  return { ready, delayed, reserved };
}

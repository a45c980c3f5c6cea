import {
  type FailedJob,
  type FailedJobFilter,
  type FailedJobStore,
  type Failure,
  QueueError,
  type RetryOutcome,
} from '../../src/index.js';
import type { Commands } from './commands.js';
import { flushScript, forgetScript, recordScript } from './failed-scripts.js';
import { type Keys, QueuePlaces } from './keys.js';
import { settled } from './lost-reply.js';
import { markableId, memberOf, retriedJob } from './member.js';
import type { RedisWire } from './wire.js';

/** Records that are read in one go: each may hold a payload of a megabyte. */
const pageSize = 100;

const outcomes: Readonly<Record<number, RetryOutcome>> = { 1: 'retried', 0: 'already-there' };

/** Given-up jobs in the same Redis as the live ones. */
export class RedisFailedJobs implements FailedJobStore {
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #wire: RedisWire;

  constructor(session: Commands, keys: Keys, wire: RedisWire) {
    this.#session = session;
    this.#keys = keys;
    this.#wire = wire;
  }

  async record(failures: readonly FailedJob[]): Promise<void> {
    await this.#session.script(recordScript, this.#keys.ofFailedJobs(), failures.flatMap(recordOf));
  }

  async list(filter: FailedJobFilter = {}): Promise<FailedJob[]> {
    const { limit = 100, offset = 0, sinceMs, untilMs } = filter;
    const [, times = ''] = this.#keys.ofFailedJobs();
    const found: FailedJob[] = [];
    let passed = 0;
    for (let from = 0; found.length < limit; from += pageSize) {
      const range = [times, untilMs ?? '+inf', sinceMs ?? '-inf', 'LIMIT', from, pageSize] as const;
      const uuids = await this.#session.run(times, (redis) => redis.zrevrangebyscore(...range));
      if (uuids.length === 0) break;
      for (const record of await this.#read(uuids)) {
        if (!matches(record, filter) || passed++ < offset) continue;
        if (found.length < limit) found.push(record);
      }
    }
    return found;
  }

  async find(ids: readonly string[]): Promise<FailedJob[]> {
    const uuids = new Set(ids);
    for (const id of ids) for (const uuid of await this.#uuidsOfJob(id)) uuids.add(uuid);
    const records = await this.#read([...uuids]);
    return records.sort((a, b) => b.failedAtMs - a.failedAtMs);
  }

  forget(uuids: readonly string[]): Promise<number> {
    return this.#session.script(forgetScript, this.#keys.ofFailedJobs(), [...new Set(uuids)]);
  }

  async flush({ beforeMs }: { readonly beforeMs?: number } = {}): Promise<number> {
    let removed = 0;
    for (;;) {
      const args = [beforeMs === undefined ? '' : String(beforeMs)];
      const count = await this.#session.script<number>(flushScript, this.#keys.ofFailedJobs(), args);
      removed += count;
      if (count === 0) return removed;
    }
  }

  async retry(uuids: readonly string[]): Promise<RetryOutcome[]> {
    const records = new Map((await this.#read([...new Set(uuids)])).map((record) => [record.uuid, record]));
    const known = uuids.filter((uuid) => records.has(uuid));
    const places = new QueuePlaces(this.#keys, this.#keys.ofFailedJobs());
    const { members, holdsIds } = this.#wire;
    const args = known.flatMap((uuid) => {
      const { queue, jobId, payload } = records.get(uuid) as FailedJob;
      const { member, bodyKey, body } = retriedJob(members.stored(jobId, payload), payload);
      return [places.placeOf(queue), uuid, holdsIds ? markableId(jobId) : '', member, bodyKey, body];
    });
    const answers = await this.#move(places.keys, args);
    return uuids.map((uuid) => outcomes[records.has(uuid) ? (answers.shift() ?? -1) : -1] ?? 'not-found');
  }

  /** Moves records to their queues. One that was there, and is gone after a lost answer, was moved by that try. */
  #move(keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<number[]> {
    const session = this.#session;
    const { retry } = this.#wire.scripts;
    return settled<number[]>(
      () => session.script(retry, keys, args),
      async (timeoutMs) => {
        const answers = await session.script<number[]>(retry, keys, args, timeoutMs);
        return answers.map((answer) => (answer === -1 ? 1 : answer));
      },
      session.commandTimeoutMs,
      (cause) => openRetry(cause),
    );
  }

  /** The connector's `fail`: records the jobs whose leases are held and deletes them, as one operation. */
  async fail(failures: readonly Failure[]): Promise<boolean[]> {
    const places = new QueuePlaces(this.#keys, this.#keys.ofFailedJobs());
    const args = failures.flatMap(({ lease, record }) => [
      places.placeOf(lease.queue),
      memberOf(lease.handle),
      ...recordOf(record),
    ]);
    const held = await this.#session.script<number[]>(this.#wire.scripts.fail, places.keys, args);
    return held.map((was) => was === 1);
  }

  /** The records of these uuids that are there, in the order given. */
  async #read(uuids: readonly string[]): Promise<FailedJob[]> {
    const [key = ''] = this.#keys.ofFailedJobs();
    const records: FailedJob[] = [];
    for (let from = 0; from < uuids.length; from += pageSize) {
      const page = uuids.slice(from, from + pageSize);
      const texts = await this.#session.run(key, (redis) => redis.hmget(key, ...page));
      for (const text of texts) if (text !== null) records.push(JSON.parse(text));
    }
    return records;
  }

  async #uuidsOfJob(jobId: string): Promise<string[]> {
    const [, , , uuids = '', names = ''] = this.#keys.ofFailedJobs();
    const range = [`[${jobId}\0`, `(${jobId}\x01`] as const;
    const jobs = await this.#session.run(names, (redis) => redis.zrangebylex(names, ...range));
    if (jobs.length === 0) return [];
    const found = await this.#session.run(uuids, (redis) => redis.hmget(uuids, ...jobs));
    return found.filter((uuid) => uuid !== null);
  }
}

/** What is said where the answer to a retry was lost. */
export function openRetry(cause: unknown): QueueError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new QueueError('E_STORE_UNAVAILABLE', `whether the failed jobs were put back is open: ${said}`, {
    fix: 'Retry them again: what was put back is no failed job any more.',
    transient: true,
    ambiguous: true,
    cause,
  });
}

/** What the scripts take for a record. */
export function recordOf(record: FailedJob): string[] {
  const { uuid, jobId, connection, queue, failedAtMs } = record;
  return [uuid, `${jobId}\0${connection}\0${queue}`, String(failedAtMs), JSON.stringify(record)];
}

/** True for a record that a list with this filter may have. */
export function matches(record: FailedJob, { connection, queue, name }: FailedJobFilter): boolean {
  return (
    (connection === undefined || record.connection === connection) &&
    (queue === undefined || record.queue === queue) &&
    (name === undefined || record.name === name)
  );
}

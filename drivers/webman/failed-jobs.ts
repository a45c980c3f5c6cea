import { createHash } from 'node:crypto';
import type { FailedJob, FailedJobFilter, FailedJobStore, Failure, RetryOutcome } from '../../src/index.js';
import type { Commands } from '../redis/commands.js';
import { matches, openRetry, RedisFailedJobs, recordOf } from '../redis/failed-jobs.js';
import { Keys as RedisKeys } from '../redis/keys.js';
import { settled } from '../redis/lost-reply.js';
import { bytesShownBy } from '../redis/raw-bytes.js';
import { think3 } from '../redis/wire.js';
import { failScript, forgetScript, retryScript } from './failed-scripts.js';
import type { Keys } from './keys.js';
import { newMember } from './member.js';
import { parsePackage, readHead, unspent } from './package-text.js';
import { listedByPhp } from './php-failures.js';

const outcomes: Readonly<Record<number, RetryOutcome>> = { 1: 'retried', 0: 'already-there' };

/** Packages that are read in one go. */
const pageSize = 500;

/**
 * Given-up jobs: the packages in webman's own list, where PHP finds them too, and beside each that a worker of ours
 * gave up a record of what webman has no place for. Packages that PHP gave up are listed, retried and forgotten as any.
 */
export class WebmanFailedJobs implements FailedJobStore {
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #records: RedisFailedJobs;
  readonly #all: readonly string[];
  readonly #connection: string;

  constructor(session: Commands, keys: Keys, connection: string) {
    const ours = new RedisKeys(keys.own, think3.listOf);
    this.#session = session;
    this.#keys = keys;
    this.#connection = connection;
    this.#records = new RedisFailedJobs(session, ours, think3);
    this.#all = [...keys.all, ...ours.ofFailedJobs(), ...keys.listed];
  }

  /** Of failures on other connections there are only records: webman could not read their jobs. */
  record(failures: readonly FailedJob[]): Promise<void> {
    return this.#records.record(failures);
  }

  /** The connector's `fail`: lists the packages whose leases are held and deletes them, as one operation. */
  async fail(failures: readonly Failure[]): Promise<boolean[]> {
    const args = failures.flatMap(({ lease, record }) => {
      const isPackage =
        readHead(record.payload) !== undefined || parsePackage(record.payload)?.queue !== undefined;
      return [lease.token, lease.queue, ...recordOf(record), isPackage ? record.payload : ''];
    });
    const held = await this.#session.script<number[]>(failScript, this.#all, args);
    return held.map((was) => was === 1);
  }

  async list(filter: FailedJobFilter = {}): Promise<FailedJob[]> {
    const { limit = 100, offset = 0 } = filter;
    const ours = await this.#records.list({ ...filter, limit: offset + limit, offset: 0 });
    const php = (await this.#ofPhp()).filter(
      (job) => matches(job, filter) && job.failedAtMs >= (filter.sinceMs ?? Number.NEGATIVE_INFINITY),
    );
    return newestFirst([...ours, ...php]).slice(offset, offset + limit);
  }

  async find(ids: readonly string[]): Promise<FailedJob[]> {
    const ours = await this.#records.find(ids);
    const php = await this.#ofPhp();
    return newestFirst([
      ...ours,
      ...php.filter(({ uuid, jobId }) => ids.includes(uuid) || ids.includes(jobId)),
    ]);
  }

  async forget(uuids: readonly string[]): Promise<number> {
    const php = await this.#byUuid();
    const args = [...new Set(uuids)].flatMap((uuid) => [uuid, memberOf(php.get(uuid))]);
    return this.#session.script(forgetScript, this.#all, args);
  }

  async flush({ beforeMs = Number.POSITIVE_INFINITY }: { readonly beforeMs?: number } = {}): Promise<number> {
    let removed = 0;
    for (;;) {
      const found = (await this.list({ limit: 10_000 })).filter(({ failedAtMs }) => failedAtMs < beforeMs);
      const count = found.length === 0 ? 0 : await this.forget(found.map(({ uuid }) => uuid));
      removed += count;
      if (count === 0) return removed;
    }
  }

  async retry(uuids: readonly string[]): Promise<RetryOutcome[]> {
    const php = await this.#byUuid();
    const ours = await this.#records.find(uuids);
    const jobs = new Map([...ours.map((job): [string, FailedJob] => [job.uuid, job]), ...php]);
    const known = uuids.filter((uuid) => jobs.has(uuid));
    const args = known.flatMap((uuid) => {
      const job = jobs.get(uuid) as FailedJob;
      return [uuid, memberOf(php.get(uuid)), job.queue, job.jobId, waitingText(job)];
    });
    const session = this.#session;
    const answers = await settled<number[]>(
      () => session.script(retryScript, this.#all, args),
      // One that was there, and is gone after a lost answer, was moved by that try.
      async (timeoutMs) => {
        const again = await session.script<number[]>(retryScript, this.#all, args, timeoutMs);
        return again.map((answer) => (answer === -1 ? 1 : answer));
      },
      session.commandTimeoutMs,
      openRetry,
    );
    return uuids.map((uuid) => outcomes[jobs.has(uuid) ? (answers.shift() ?? -1) : -1] ?? 'not-found');
  }

  async #byUuid(): Promise<Map<string, FailedJob>> {
    return new Map((await this.#ofPhp()).map((job) => [job.uuid, job]));
  }

  /** The packages in the list that PHP put there. */
  async #ofPhp(): Promise<FailedJob[]> {
    const { failed, listed } = this.#keys;
    const found: FailedJob[] = [];
    for (let from = 0; ; from += pageSize) {
      const range = [failed, from, from + pageSize - 1];
      const page = (await this.#session.run(failed, (redis) =>
        redis.callBuffer('LRANGE', range),
      )) as Buffer[];
      if (page.length === 0) return found;
      const digests = page.map((member) => createHash('sha1').update(member).digest('hex'));
      const ours = await this.#session.run(failed, (redis) => redis.hmget(listed[1] as string, ...digests));
      for (const [index, member] of page.entries()) {
        if (ours[index] === null) found.push(listedByPhp(member, digests[index] as string, this.#connection));
      }
    }
  }
}

/** What the scripts look for in webman's list: nothing for a job of ours, which they know by its uuid. */
function memberOf(php: FailedJob | undefined): string | Buffer {
  return php === undefined ? '' : (bytesShownBy(php.payload) ?? php.payload);
}

function waitingText({ jobId, queue, payload, failedAtMs }: FailedJob): string | Buffer {
  if (readHead(payload)?.queue === queue || parsePackage(payload)?.queue === queue) return unspent(payload);
  return newMember(jobId, payload, queue, { time: Math.floor(failedAtMs / 1000), delay: 0 });
}

function newestFirst(jobs: FailedJob[]): FailedJob[] {
  return jobs.sort((a, b) => b.failedAtMs - a.failedAtMs);
}

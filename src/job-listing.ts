import type { Connector } from './connector.js';
import { type Duration, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import type { EndedJob } from './history-store.js';
import {
  type ListedJob,
  type ListedState,
  runsOf,
  viewOfEnded,
  viewOfFailed,
  viewOfLive,
} from './job-views.js';
import { listedStates } from './listed-states.js';
import type { ListingSource } from './listing-source.js';
import type { LiveState } from './live-jobs.js';
import { checkQueueName } from './names.js';
import { checkOptionNames } from './option-names.js';
import { shown } from './shown.js';
import { type WorkerInfo, workerInfo } from './worker-info.js';

/** Jobs that are looked at in one go. */
const pageSize = 100;
/** How many jobs of one state a list by name or time looks through. */
const mostLookedAt = 10_000;

/** Which jobs to list; all conditions hold together. */
export interface ListOptions {
  /** `reserved` takes running jobs along. Default `all`. */
  readonly state?: ListedState | 'all';
  /** Default: for jobs that are live, the connection's own queue; for those that ended, all queues. */
  readonly queue?: string;
  /** Only jobs of a wire name. */
  readonly name?: string;
  /** How far back: of jobs that ended since, and of live ones that were pushed since. A span before now, or a Date. */
  readonly since?: Duration | Date;
  /** At most so many of each state. Default 100. */
  readonly limit?: number;
}

/** A job that was found by its id. */
export interface FoundJob extends ListedJob {
  /** How it ended before, the latest first: it was pushed or retried again since. Only what the history keeps. */
  readonly earlier: readonly ListedJob[];
}

/** {@link ListOptions} after checking. */
interface Wish {
  readonly state: ListedState | 'all';
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly sinceMs: number | undefined;
  readonly limit: number;
}

/**
 * Lists jobs by state: those that are live in the order of their turn, those that ended from the newest on.
 *
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be; `E_UNSUPPORTED` for live
 * jobs where the store shows none, and for done ones where the connection keeps no history.
 */
export async function listJobs(options: ListOptions, source: ListingSource): Promise<ListedJob[]> {
  const wish = checkListOptions(options, source.nowMs);
  const { state } = wish;
  if (state === 'done' && !source.history) throw noHistory(source.connection);
  const isWanted = (one: ListedState) => state === 'all' || state === one;
  const live: ListedJob[] = [];
  if (isWanted('reserved') || state === 'running') live.push(...(await liveJobs('reserved', wish, source)));
  if (isWanted('ready')) live.push(...(await liveJobs('ready', wish, source)));
  if (isWanted('delayed')) live.push(...(await liveJobs('delayed', wish, source)));
  const ended = [
    ...(isWanted('done') ? await doneJobs(wish, source) : []),
    ...(isWanted('failed') ? await failedJobs(wish, source) : []),
  ];
  return [...live, ...ended.sort((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0))];
}

/**
 * Finds the jobs of an id, or the failed one of a uuid, whatever their state: usually one, and one in each queue where
 * several have a job of that id.
 */
export async function findJobs(
  id: string,
  queue: string | undefined,
  source: ListingSource,
): Promise<FoundJob[]> {
  const { connection, connector, history, ownQueue } = source;
  const lane = queue === undefined ? ownQueue : checkQueueName(queue);
  const failed = (await source.failed.find([id])).filter(
    (job) => job.connection === connection && (queue === undefined || job.queue === queue),
  );
  const jobIds = [...new Set([id, ...failed.map(({ jobId }) => jobId)])];
  const ended = ((await history?.find(jobIds)) ?? []).filter(
    (one) => queue === undefined || one.queue === queue,
  );
  const live = await connector.find?.(lane, id);
  const present = live ? [viewOfLive(live, connection, await runsIn(connector), source.wire)] : [];
  for (const job of failed) {
    const end = endOf(job, ended);
    if (end) ended.splice(ended.indexOf(end), 1);
    present.push(viewOfFailed(job, end, source.wire));
  }
  return byQueue([...present, ...ended.map((one) => viewOfEnded(one, connection))]);
}

/** For each queue the job as it is now, and how it ended before: what is live comes first, then the latest end. */
function byQueue(jobs: readonly ListedJob[]): FoundJob[] {
  const rank = ({ finishedAtMs }: ListedJob) => finishedAtMs ?? Number.MAX_VALUE;
  const groups = new Map<string, ListedJob[]>();
  for (const job of [...jobs].sort((a, b) => rank(b) - rank(a))) {
    const key = JSON.stringify([job.queue, job.id]);
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups.values()].map(([latest, ...earlier]) => ({ ...(latest as ListedJob), earlier }));
}

/** How far apart the record of a failure and its end in the history are at most: that is noted once the job is settled. */
const endSlackMs = 120_000;

async function liveJobs(state: LiveState, wish: Wish, source: ListingSource): Promise<ListedJob[]> {
  const { connection, connector, ownQueue } = source;
  const { queue = ownQueue, limit } = wish;
  if (!connector.peek)
    throw new QueueError('E_UNSUPPORTED', `the store of connection ${connection} shows no jobs`);
  const runs = state === 'reserved' ? await runsIn(connector) : new Map<string, WorkerInfo>();
  const found: ListedJob[] = [];
  for (let offset = 0; found.length < limit && offset < mostLookedAt; offset += pageSize) {
    const page = await connector.peek(queue, { state, limit: pageSize, offset });
    found.push(
      ...page
        .map((job) => viewOfLive(job, connection, runs, source.wire))
        .filter((job) => isWished(job, wish)),
    );
    if (page.length < pageSize) break;
  }
  return found.slice(0, limit);
}

function isWished(job: ListedJob, { state, name, sinceMs }: Wish): boolean {
  if (state === 'running' && job.state !== 'running') return false;
  if (name !== undefined && job.name !== name) return false;
  return sinceMs === undefined || (job.createdAtMs ?? Number.POSITIVE_INFINITY) >= sinceMs;
}

async function doneJobs(wish: Wish, { connection, history }: ListingSource): Promise<ListedJob[]> {
  const ended = (await history?.list({ ...filterOf(wish), state: 'done' })) ?? [];
  return ended.map((one) => viewOfEnded(one, connection));
}

async function failedJobs(
  wish: Wish,
  { connection, failed, history, wire }: ListingSource,
): Promise<ListedJob[]> {
  const jobs = await failed.list({ ...filterOf(wish), connection });
  const ended = jobs.length === 0 ? [] : ((await history?.find(jobs.map(({ jobId }) => jobId))) ?? []);
  return jobs.map((job) => viewOfFailed(job, endOf(job, ended), wire));
}

/** The end in the history that a record of a failure is about. */
function endOf(
  {
    jobId,
    queue,
    failedAtMs,
  }: { readonly jobId: string; readonly queue: string; readonly failedAtMs: number },
  ended: readonly EndedJob[],
): EndedJob | undefined {
  return ended.find(
    (one) =>
      one.jobId === jobId &&
      one.queue === queue &&
      one.state === 'failed' &&
      Math.abs(one.finishedAtMs - failedAtMs) < endSlackMs,
  );
}

function filterOf({ queue, name, sinceMs, limit }: Wish) {
  return {
    limit,
    ...(queue !== undefined && { queue }),
    ...(name !== undefined && { name }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}

async function runsIn({ workers }: Connector): Promise<Map<string, WorkerInfo>> {
  const entries = (await workers?.list()) ?? [];
  return runsOf(entries.flatMap((entry) => workerInfo(entry) ?? []));
}

function checkListOptions(options: ListOptions, nowMs: number): Wish {
  checkOptionNames(options, ['state', 'queue', 'name', 'since', 'limit'], 'list');
  const { state = 'all', queue, name, since, limit = 100 } = options;
  if (!listedStates.includes(state)) {
    throw new QueueError('E_CONFIG', `list: ${shown(state)} is no state`, {
      fix: `Write one of ${listedStates.join(', ')}.`,
    });
  }
  if (name !== undefined && typeof name !== 'string') {
    throw new QueueError('E_CONFIG', `list: ${shown(name)} is not the name of a job`);
  }
  if (!(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new QueueError('E_CONFIG', `list: limit: ${shown(limit)} is not a whole number from 1 up`);
  }
  return {
    state,
    queue: queue === undefined ? undefined : checkQueueName(queue),
    name,
    sinceMs: since === undefined ? undefined : sinceOf(since, nowMs),
    limit,
  };
}

function sinceOf(since: Duration | Date, nowMs: number): number {
  const ms = since instanceof Date ? since.getTime() : nowMs - durationToMs(since, 'since');
  if (Number.isNaN(ms)) throw new QueueError('E_DURATION', 'since is not a valid Date');
  return ms;
}

function noHistory(connection: string): QueueError {
  return new QueueError('E_UNSUPPORTED', `connection ${connection} keeps no done jobs: its history is off`, {
    fix: "Set history: { keep: 1000 } or { keep: '7d' } in the options of the connection.",
  });
}

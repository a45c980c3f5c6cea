import type { Duration } from './duration.js';
import { isQueueError, QueueError } from './errors.js';
import { jobOfPlan, type Pushable, type PushPlan, planPush } from './prepare-push.js';
import { assertPushOptions, type PreparedJob, type PushOptions } from './push.js';
import type { QueueCore } from './queue-core.js';
import { shown } from './shown.js';
import { storeAll, storeOne } from './store-jobs.js';
import { type PushedJobs, type PushTrace, tracePush, untraced } from './tracing.js';

/** Data and options of a push. Data may be left out only where the job's type of data allows undefined. */
type PushArguments<Input, Options = PushOptions> = undefined extends Input
  ? [data?: Input, options?: Options]
  : [data: Input, options?: Options];

/** One job of a `pushMany`. */
export type PushEntry = readonly [job: Pushable, data?: unknown, options?: PushOptions];

const noOptions: PushOptions = {};

/** Jobs of one queue on one connection. */
interface PushGroup {
  readonly connection: string;
  readonly queue: string;
  readonly jobs: PreparedJob[];
  /** Where each of them stands in the list that was pushed. */
  readonly places: number[];
}

/** Pushes jobs to one connection: each push on its own, or all with a transaction of the application. */
export class Pusher {
  /** The name of the connection that this object works on. */
  readonly connectionName: string;
  readonly #core: QueueCore;
  readonly #transaction: unknown;
  /** Of definitions, which stay what they are, pushed without options. */
  readonly #plans = new WeakMap<object, PushPlan>();

  /** @internal */
  constructor(core: QueueCore, connectionName: string, transaction?: unknown) {
    this.#core = core;
    this.connectionName = connectionName;
    this.#transaction = transaction;
  }

  /**
   * Stores a job and answers its id. On a `sync` connection the job runs before this resolves, and its error
   * rejects.
   *
   * @throws QueueError for a job, data or option that cannot be (nothing was stored), or the store's error.
   */
  push<Input>(job: Pushable<Input>, ...args: PushArguments<Input>): Promise<string> {
    const [data, options = noOptions] = args;
    return tracePush(this.#core.config.tracing, (trace) => this.#push(job, data, options, trace));
  }

  /** Not `async`, nor what it calls: of many small pushes a promise for each step would cost more than the steps. */
  #push(job: Pushable, data: unknown, options: PushOptions, trace: PushTrace): Promise<string> {
    try {
      const nowMs = this.#core.clock.now();
      const plan = this.#planOf(job, options, nowMs, trace);
      const made = jobOfPlan(plan, data, nowMs);
      if (!(made instanceof Promise)) return this.#store(plan.connection, made, trace);
      return made.then((prepared) => this.#store(plan.connection, prepared, trace));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #planOf(job: Pushable, options: PushOptions, nowMs: number, { context }: PushTrace): PushPlan {
    const isPlain = options === noOptions && context === undefined && typeof job === 'object';
    const known = isPlain ? this.#plans.get(job) : undefined;
    if (known !== undefined) return known;
    const plan = planPush(this.#core, this.connectionName, job, options, nowMs, context);
    // What a name or a class stands for may change.
    if (isPlain && plan.draft.dueAtMs === undefined) this.#plans.set(job, plan);
    return plan;
  }

  #store(connection: string, prepared: PreparedJob, trace: PushTrace): Promise<string> {
    const { queue, name, job } = prepared;
    if (trace !== untraced) trace.describe({ connection, queue, name, ids: [job.id] });
    if (this.#transaction === undefined) return storeOne(this.#core, connection, prepared);
    const stored = storeAll(this.#core, connection, queue, [prepared], this.#transaction);
    return stored.then(([id]) => id as string);
  }

  /** think-queue's order of words: `later('5m', job, data)`. A bare number is seconds; a Date is a point in time. */
  async later<Input>(
    delay: Duration | Date,
    job: Pushable<Input>,
    ...args: PushArguments<Input, Omit<PushOptions, 'delay' | 'at'>>
  ): Promise<string> {
    const [data, options = {}] = args;
    if (delay === undefined) throw noDelay();
    assertPushOptions(options);
    const due = delay instanceof Date ? { at: delay } : { delay };
    return await this.push<unknown>(job, data, { ...options, ...due });
  }

  /** Stores one job for each item of the list, all or none, and answers their ids in order. */
  bulk<Input>(
    job: Pushable<Input>,
    dataList: readonly NoInfer<Input>[],
    options: Omit<PushOptions, 'id'> = noOptions,
  ): Promise<string[]> {
    if (!Array.isArray(dataList)) return Promise.reject(noList(job, dataList));
    if ((options as PushOptions | null)?.id !== undefined) {
      return Promise.reject(new QueueError('E_CONFIG', 'bulk: one id cannot be that of many jobs'));
    }
    return tracePush(this.#core.config.tracing, (trace) => this.#bulk(job, dataList, options, trace));
  }

  async #bulk(
    job: Pushable,
    dataList: readonly unknown[],
    options: PushOptions,
    trace: PushTrace,
  ): Promise<string[]> {
    if (dataList.length === 0) return [];
    const nowMs = this.#core.clock.now();
    const plan = this.#planOf(job, options, nowMs, trace);
    const jobs: PreparedJob[] = [];
    try {
      for (const data of dataList) {
        const made = jobOfPlan(plan, data, nowMs);
        jobs.push(made instanceof Promise ? await made : made);
      }
    } catch (error) {
      throw ofItem(error, jobs.length);
    }
    const { connection, draft } = plan;
    if (trace !== untraced) {
      trace.describe({
        connection,
        queue: draft.queue,
        name: draft.name,
        ids: jobs.map(({ job: { id } }) => id),
      });
    }
    return await storeAll(this.#core, connection, draft.queue, jobs, this.#transaction);
  }

  /**
   * Stores jobs of different kinds and answers their ids in order. All are checked before the first is stored;
   * those of one queue on one connection are stored all or none.
   */
  pushMany(entries: readonly PushEntry[]): Promise<string[]> {
    return tracePush(this.#core.config.tracing, (trace) => this.#pushMany(entries, trace));
  }

  async #pushMany(entries: readonly PushEntry[], trace: PushTrace): Promise<string[]> {
    assertEntries(entries);
    const nowMs = this.#core.clock.now();
    const groups = new Map<string, PushGroup>();
    const ids: string[] = [];
    let last: { job: Pushable; options: PushOptions; plan: PushPlan; group: PushGroup } | undefined;
    try {
      for (const entry of entries) {
        const [job, data, options = noOptions] = checkedEntry(entry);
        if (last === undefined || last.job !== job || last.options !== options) {
          const plan = this.#planOf(job, options, nowMs, trace);
          last = { job, options, plan, group: groupOf(plan, groups) };
        }
        const made = jobOfPlan(last.plan, data, nowMs);
        const prepared = made instanceof Promise ? await made : made;
        last.group.jobs.push(prepared);
        last.group.places.push(ids.length);
        ids.push(prepared.job.id);
      }
    } catch (error) {
      throw ofItem(error, ids.length);
    }
    if (groups.size > 0 && trace !== untraced) trace.describe(pushedIn([...groups.values()], ids));
    for (const { connection, queue, jobs, places } of groups.values()) {
      const stored = await storeAll(this.#core, connection, queue, jobs, this.#transaction);
      for (const [index, place] of places.entries()) ids[place] = stored[index] as string;
    }
    return ids;
  }
}

const manyAsWritten = 'Write pushMany([[sendMail, data], [resize, data, { delay: "1m" }]]).';

function assertEntries(entries: readonly PushEntry[]): void {
  if (Array.isArray(entries)) return;
  throw new QueueError('E_CONFIG', `pushMany: ${shown(entries)} is not a list`, { fix: manyAsWritten });
}

function checkedEntry(entry: PushEntry): PushEntry {
  if (Array.isArray(entry)) return entry as PushEntry;
  throw new QueueError('E_CONFIG', `${shown(entry)} is not a list of job, data and options`, {
    fix: manyAsWritten,
  });
}

/** What is wrong with one of many, told with its place in the list, from 0. */
function ofItem(error: unknown, index: number): unknown {
  if (!isQueueError(error)) return error;
  const { code, message, fix, cause } = error;
  return new QueueError(code, `item ${index}: ${message}`, { cause, ...(fix !== undefined && { fix }) });
}

/** A text would be one job for each of its letters, and jobs of other kinds are for `pushMany`. */
function noList(job: unknown, dataList: unknown): QueueError {
  const isFirst = dataList === undefined && Array.isArray(job);
  const message = isFirst ? 'bulk: the job comes before the list' : `bulk: ${shown(dataList)} is not a list`;
  return new QueueError('E_CONFIG', message, {
    fix: 'Write bulk(sendMail, [data, data]), or pushMany([[sendMail, data]]) for jobs of several kinds.',
  });
}

/** A variable that was not set would have the job run at once. */
function noDelay(): QueueError {
  return new QueueError('E_DURATION', 'later: undefined is not a time span', {
    fix: "Write later('5m', sendMail, data), or push for a job that is due at once.",
  });
}

/** The group that the jobs of a plan belong to, made where they are the first of it. */
function groupOf({ connection, draft: { queue } }: PushPlan, groups: Map<string, PushGroup>): PushGroup {
  const key = JSON.stringify([connection, queue]);
  const group = groups.get(key) ?? { connection, queue, jobs: [], places: [] };
  groups.set(key, group);
  return group;
}

/** What a push of many is said to store. */
function pushedIn(groups: readonly PushGroup[], ids: readonly string[]): PushedJobs {
  const [first] = groups as [PushGroup];
  const isOneQueue = groups.length === 1;
  const name = first.jobs[0]?.name;
  const isOneName = groups.every(({ jobs }) => jobs.every((job) => job.name === name));
  return {
    connection: first.connection,
    queue: isOneQueue ? first.queue : undefined,
    name: isOneName ? name : undefined,
    ids,
  };
}

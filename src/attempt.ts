import { amended } from './attempt-failed.js';
import { type AttemptDefaults, type AttemptRules, isLastChance, refusal, rulesFor } from './attempt-rules.js';
import type { Clock } from './clock.js';
import type { Lease, ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import { fire } from './fire.js';
import { HeldJob } from './held-job.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import { isObjectJob, shownPayload } from './object-job.js';
import { type Payload, unreadable } from './payload.js';
import type { QueueConfig } from './queue-config.js';
import type { Handler, Registry } from './registry.js';
import { type Action, type Circumstances, decide } from './retry-policy.js';
import { Settlement } from './settlement.js';
import type { Settler } from './settler.js';
import type { Sightings } from './sightings.js';
import type { StartRecords } from './start-records.js';
import type { StatisticsKeeper } from './statistics-keeper.js';
import type { Tracer } from './tracing.js';
import { afterObjectJob, afterUnknown } from './unknown-job.js';
import type { WireFormat } from './wire-format.js';

/** An object job that has not come again for so long, and for the patience with it, is a new one. */
const forgottenMs = 60_000;

/** What an attempt works with. One for all attempts of a worker. */
export interface AttemptContext {
  readonly connection: string;
  readonly registry: Registry;
  readonly settler: Settler;
  /** How the connection's bodies are written. */
  readonly wire: WireFormat;
  readonly defaults: AttemptDefaults;
  readonly events: QueueEvents;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called with each job that was given up, after its own hook. */
  readonly onFailed?: QueueConfig['onFailed'] | undefined;
  /** True where the pusher waits for the job: it runs once, now, and its error is the pusher's to handle. */
  readonly inline?: boolean;
  /** Deletes a job inside a transaction of the application. */
  deleteIn(transaction: object, lease: Lease): Promise<boolean>;
  /** Told how each attempt ended. */
  readonly statistics?: StatisticsKeeper | undefined;
  /** Told of each job that ended for good. */
  readonly history?: HistoryKeeper | undefined;
  readonly tracer?: Tracer | undefined;
  /** The object jobs of PHP that this worker has seen. */
  readonly sightings: Sightings;
  /** The deliveries that this worker has started. Absent where jobs are delivered once. */
  readonly starts?: StartRecords;
  /** Told of each job before it is run; the attempt waits for the answer. */
  onStart?(held: HeldJob, job: Job, timeoutMs: number): Promise<void> | undefined;
  /** Told when a handler has ended and its job is only left to delete: its slot is free for the next. */
  onDone?(held: HeldJob): void;
  /** Told when a job was settled, though its handler may go on. */
  onSettled?(held: HeldJob): void;
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: 'done' | 'kept' | 'released' | 'failed' | 'given-back' | 'lost' | 'unsettled';
  /** What the job failed or was released with. */
  readonly error?: unknown;
  /** The job that was started, where one was. */
  readonly job?: Job;
  /** Present while the handler goes on although it was aborted. */
  readonly stillRunning?: Promise<void>;
}

/**
 * One delivery of one job: decode → guard → fire under timeout → decide → settle. Never rejects: when the
 * store refuses the settlement the job stays reserved, and runs again when its lease lapses.
 */
export async function runAttempt(held: HeldJob, context: AttemptContext): Promise<AttemptEnd> {
  const { reserved } = held;
  const decoded =
    reserved.problem === undefined ? context.wire.decode(reserved.body) : { problem: reserved.problem };
  if ('problem' in decoded) return giveUpUnreadable(held, decoded.problem, context);
  const { payload } = decoded;
  const handler = context.registry.find(payload.job);
  if (!handler && isObjectJob(payload.job) && reserved.givenUp === undefined)
    return putOff(held, shownPayload(payload), context);
  const rules = rulesFor(payload, handler, context.defaults, context.inline);
  const settlement = new Settlement(held, payload, handler, context);

  if (reserved.givenUp !== undefined) {
    const error = new QueueError('E_MAX_TRIES', reserved.givenUp);
    return settlement.settle({ action: 'fail', reason: 'max-tries', error });
  }
  const startedLast =
    startedHere(reserved, context) ||
    (isLastChance(reserved.attempts, rules, false) &&
      (await context.settler.isRecorded(reserved, context.connection)));
  const refused = guard(payload, handler, { attempts: reserved.attempts, startedLast }, rules, context);
  if (refused) return settlement.settle(refused);

  await context.onStart?.(held, settlement.job, rules.timeoutMs);
  const { timeoutMs } = rules;
  const end = await fire(settlement.job, {
    timeoutMs,
    graceMs: context.defaults.graceMs,
    onTimeout: () => settlement.tellTimeout(timeoutMs),
  });
  settlement.tellException(end);

  const job = {
    state: await settlement.job.settledState(),
    ack: handler?.settings.ack ?? 'auto',
    attempts: reserved.attempts,
    // A store that does not tell errors from other deliveries: each may have been one.
    exceptions: context.settler.canCountThrown ? (reserved.exceptions ?? 0) : reserved.attempts - 1,
  };
  const now = circumstances(context);
  let verdict = settlement.refusedData(end) ?? decide(end, job, rules, now);
  if (handler?.attemptFailed) {
    const about = { handler, job: settlement.job, data: payload.data, body: reserved.body, rules, now };
    verdict = await amended(verdict, about, context);
  }
  if (verdict.action === 'delete' && !end.stillRunning) context.onDone?.(held);
  const ended = verdict.action === 'none' ? await settlement.keep(end) : await settlement.settle(verdict);
  return { ...ended, job: settlement.job, ...(end.stillRunning && { stillRunning: end.stillRunning }) };
}

/** What to do instead of running, where a job must not run. */
function guard(
  payload: Payload,
  handler: Handler | undefined,
  { attempts, startedLast }: { readonly attempts: number; readonly startedLast: boolean },
  rules: AttemptRules,
  context: AttemptContext,
): Action | undefined {
  if (handler) {
    // A job that has a say in its tries may have allowed more of them.
    const limits = handler.attemptFailed ? { ...rules, tries: 0 } : rules;
    return refusal(payload, attempts, limits, startedLast, context.clock.now());
  }
  const { defaults, inline, settler } = context;
  const patienceMs = !inline && settler.canPostpone ? defaults.unknownJobPatienceMs : 0;
  return afterUnknown(payload, attempts, rules, patienceMs, circumstances(context));
}

function startedHere(reserved: ReservedJob, { starts }: AttemptContext): boolean {
  return starts?.hasLast(reserved) ?? true;
}

/** Whether a job must run alone: its tries are used up, though it may never have been started. */
export function isLastChanceOf(reserved: ReservedJob, context: AttemptContext): boolean {
  if (reserved.attempts < 2 || reserved.problem !== undefined) return false;
  const decoded = context.wire.decode(reserved.body);
  if ('problem' in decoded) return false;
  const handler = context.registry.find(decoded.payload.job);
  if (handler === undefined) return false;
  const rules = rulesFor(decoded.payload, handler, context.defaults, context.inline);
  return isLastChance(reserved.attempts, rules, startedHere(reserved, context));
}

function circumstances({ clock }: AttemptContext): Circumstances {
  return { nowMs: clock.now(), random: Math.random() };
}

/** Leaves an object job to PHP's workers for a while, then gives it up. */
async function putOff(held: HeldJob, payload: Payload, context: AttemptContext): Promise<AttemptEnd> {
  const { defaults, inline, settler, sightings, clock } = context;
  const { queue, id } = held.reserved;
  const patienceMs = inline ? 0 : defaults.unknownJobPatienceMs;
  const can = { patienceMs, postpone: settler.canPostpone, record: inline || settler.keepsFailures };
  const seenForMs = sightings.sinceFirstMs(queue, id, clock.now(), Math.max(patienceMs, forgottenMs));
  const verdict = afterObjectJob(payload.job, seenForMs, can, circumstances(context));
  if (verdict.action === 'fail') sightings.forget(queue, id);
  return await new Settlement(held, payload, undefined, context).settle(verdict);
}

function giveUpUnreadable(held: HeldJob, problem: string, context: AttemptContext): Promise<AttemptEnd> {
  const { reserved } = held;
  const payload = { job: unreadable, maxTries: null, timeout: null, data: null, id: reserved.id };
  const raw = new HeldJob({ ...reserved, body: reserved.raw ?? reserved.body }, held.askedMs);
  const settlement = new Settlement(raw, payload, undefined, context);
  const error = new QueueError('E_PAYLOAD_INVALID', problem);
  return settlement.settle({ action: 'fail', reason: 'bad-payload', error });
}

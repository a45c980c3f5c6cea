import { type BackoffRule, backoffRule } from './backoff.js';
import type { Clock } from './clock.js';
import type { ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import type { QueueEvents } from './events.js';
import { fire } from './fire.js';
import type { Job } from './job.js';
import type { Logger } from './logger.js';
import { decodePayload, type Payload } from './payload.js';
import type { Handler, Registry } from './registry.js';
import { type Action, afterFailure, decide, type RetryRules } from './retry-policy.js';
import { Settlement } from './settlement.js';
import type { Settler } from './settler.js';
import type { WorkerWatch } from './worker-watch.js';

/** The rules for jobs that bring none of their own. */
interface AttemptDefaults {
  /** 0: no limit. */
  readonly tries: number;
  readonly backoff: BackoffRule;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly graceMs: number;
}

/** What an attempt works with. One for all attempts of a worker. */
export interface AttemptContext {
  readonly connection: string;
  readonly registry: Registry;
  readonly settler: Settler;
  readonly defaults: AttemptDefaults;
  readonly events: QueueEvents;
  readonly logger: Logger;
  readonly clock: Clock;
  /** True where the pusher waits for the job: it runs once, now, and its error is the pusher's to handle. */
  readonly inline?: boolean;
  readonly watch?: WorkerWatch | undefined;
  /** Told of each job before it is run; the attempt waits for the answer. */
  onStart?(job: Job, reserved: ReservedJob, timeoutMs: number): Promise<void> | undefined;
  /** Told when a handler has ended and its job is only left to delete: its slot is free for the next. */
  onDone?(reserved: ReservedJob): void;
  /** Told when a job was settled, though its handler may go on. */
  onSettled?(reserved: ReservedJob): void;
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
export async function runAttempt(reserved: ReservedJob, context: AttemptContext): Promise<AttemptEnd> {
  const decoded = decodePayload(reserved.body);
  if ('problem' in decoded) return giveUpUnreadable(reserved, decoded.problem, context);
  const { payload } = decoded;
  const handler = context.registry.find(payload.job);
  const rules = rulesFor(payload, handler, context);
  const settlement = new Settlement(reserved, payload, handler, context);

  const refusal = guard(payload, handler, reserved.attempts, rules);
  if (refusal) return settlement.settle(refusal);

  await context.onStart?.(settlement.job, reserved, rules.timeoutMs);
  const end = await fire(settlement.job, { timeoutMs: rules.timeoutMs, graceMs: context.defaults.graceMs });

  const job = {
    state: await settlement.job.settledState(),
    ack: handler?.settings.ack ?? 'auto',
    attempts: reserved.attempts,
  };
  const verdict = settlement.refusedData(end) ?? decide(end, job, rules, Math.random());
  if (verdict.action === 'delete' && !end.stillRunning) context.onDone?.(reserved);
  const ended = verdict.action === 'none' ? await settlement.keep(end) : await settlement.settle(verdict);
  return { ...ended, job: settlement.job, ...(end.stillRunning && { stillRunning: end.stillRunning }) };
}

interface Rules extends RetryRules {
  readonly timeoutMs: number;
}

/** The push's wish comes first, then the job's definition, then the worker. */
export function rulesFor(payload: Payload, handler: Handler | undefined, context: AttemptContext): Rules {
  const settings = handler?.settings;
  const { defaults, inline } = context;
  return {
    tries: inline ? 1 : (payload.maxTries ?? settings?.tries ?? defaults.tries),
    backoff:
      payload.backoff === undefined
        ? (settings?.backoff ?? defaults.backoff)
        : backoffRule(payload.backoff, 'backoff'),
    timeoutMs:
      payload.timeout === null ? (settings?.timeoutMs ?? defaults.timeoutMs) : payload.timeout * 1000,
  };
}

/** What to do instead of running, where a job must not run. */
function guard(
  payload: Payload,
  handler: Handler | undefined,
  attempts: number,
  rules: Rules,
): Action | undefined {
  if (!handler) {
    const error = new QueueError('E_JOB_UNKNOWN', `no job is registered as ${payload.job}`, {
      fix: 'Check the `jobs` of the config; a worker started before a deploy knows the old jobs only.',
    });
    return afterFailure(error, 'unknown-job', attempts, rules, Math.random());
  }
  if (rules.tries > 0 && attempts > rules.tries) {
    const error = new QueueError(
      'E_MAX_TRIES',
      `job ${payload.job} was delivered ${attempts - 1} times without being done, and may be no more often`,
      {
        fix: 'Its handler released it on its last try, or its worker was killed or blocked for longer than the lease.',
      },
    );
    return { action: 'fail', reason: 'max-tries', error };
  }
  return undefined;
}

function giveUpUnreadable(
  reserved: ReservedJob,
  problem: string,
  context: AttemptContext,
): Promise<AttemptEnd> {
  const payload = { job: '(unreadable)', maxTries: null, timeout: null, data: null, id: reserved.id };
  const settlement = new Settlement(reserved, payload, undefined, context);
  const error = new QueueError('E_PAYLOAD_INVALID', problem);
  return settlement.settle({ action: 'fail', reason: 'bad-payload', error });
}

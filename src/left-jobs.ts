import type { AttemptContext } from './attempt-context.js';
import { AttemptNews } from './attempt-news.js';
import { rulesFor } from './attempt-rules.js';
import type { ReservedJob } from './connector.js';
import type { QueueError } from './errors.js';
import { HeldJob } from './held-job.js';
import { monotonicMs } from './monotonic.js';
import { unreadable } from './payload.js';
import { type Action, afterFailure } from './retry-policy.js';
import { Settlement } from './settlement.js';

/** What is to become of a job that a dead process held. */
type LeftVerdict =
  | { readonly action: 'give-back' }
  /** Its handler had ended well. */
  | { readonly action: 'delete' }
  /** Its attempt counts: it is released while tries are left, else failed. */
  | { readonly action: 'charge'; readonly reason: 'timed-out' | 'crashed'; readonly error: QueueError };

/** A job that a dead process held. */
export interface LeftJob {
  /** Its body is empty where that is in the store alone. */
  readonly reserved: ReservedJob;
  /** Of the process that held it, on this host. */
  readonly pid: number;
  /** False for one that waited for a slot: its body does not matter. */
  readonly started: boolean;
  /** What its handler was started as, where that is known. */
  readonly name?: string;
  readonly verdict: LeftVerdict;
}

/**
 * Settles a job for a process that died, by the lease that it held, under the rules of the job and with its hooks
 * and events. Where the lease was lost meanwhile nothing changes. Never rejects.
 */
export async function settleLeft(left: LeftJob, context: AttemptContext): Promise<void> {
  const { reserved, started } = left;
  if (!started) return giveBack(reserved, context);
  if (reserved.body !== '') return settleStarted(left, context);
  let body: string | undefined;
  try {
    body = await context.settler.bodyOf(reserved);
  } catch (error) {
    const { id } = reserved;
    context.logger.warn({ err: error, id }, 'could not read a job of a process that died; its lease lapses');
    return;
  }
  if (body === undefined) tellLost(left, context);
  else await settleStarted({ ...left, reserved: { ...reserved, body } }, context);
}

/** The job is gone, or was delivered anew: there is nothing to settle, nor a body to settle it by. */
function tellLost({ reserved, name = unreadable }: LeftJob, context: AttemptContext): void {
  const payload = { ...unreadablePayload(reserved), job: name };
  new AttemptNews(new HeldJob(reserved, monotonicMs()), payload, context).lost();
}

async function settleStarted({ reserved, verdict, pid }: LeftJob, context: AttemptContext): Promise<void> {
  const decoded = context.wire.decode(reserved.body);
  const { payload } = 'payload' in decoded ? decoded : { payload: unreadablePayload(reserved) };
  const handler = context.registry.find(payload.job);
  const rules = rulesFor(payload, handler, context.defaults, context.inline);
  const held = new HeldJob(reserved, monotonicMs());
  await new Promise((settled) => {
    const settlement = new Settlement(held, payload, handler, context, settled, pid);
    if (verdict.action === 'charge' && verdict.reason === 'timed-out')
      settlement.tellTimeout(rules.timeoutMs);
    settlement.settle(actionOf(verdict));
  });

  function actionOf(one: LeftVerdict): Action {
    if (one.action !== 'charge') return one;
    const { clock } = context;
    const now = { nowMs: clock.now(), random: Math.random() };
    return afterFailure(one.error, one.reason, reserved.attempts, rules, now);
  }
}

function unreadablePayload({ id }: ReservedJob) {
  return { job: unreadable, maxTries: null, timeout: null, data: null, id };
}

async function giveBack({ id, lease }: ReservedJob, { settler, logger }: AttemptContext): Promise<void> {
  try {
    await settler.giveBack(lease);
  } catch (error) {
    logger.warn({ err: error, id }, 'could not give a job back; its lease lapses');
  }
}

import type { AttemptContext, OnAttemptEnd } from './attempt-context.js';
import { amended } from './attempt-failed.js';
import { type AttemptRules, isLastChance, refusal, rulesFor } from './attempt-rules.js';
import type { Clock } from './clock.js';
import type { ReservedJob } from './connector.js';
import { QueueError } from './errors.js';
import { type FireEnd, Run, type Runner } from './fire.js';
import { HeldJob } from './held-job.js';
import type { JobState } from './job-verbs.js';
import { isObjectJob, shownPayload } from './object-job.js';
import { type Payload, unreadable } from './payload.js';
import type { Handler } from './registry.js';
import { type Action, type Circumstances, decide, type Verdict } from './retry-policy.js';
import { Settlement } from './settlement.js';
import { afterObjectJob, afterUnknown } from './unknown-job.js';

/** An object job that has not come again for so long, and for the patience with it, is a new one. */
const forgottenMs = 60_000;

/**
 * One delivery of one job: decode → guard → fire under timeout → decide → settle. When the store refuses the
 * settlement the job stays reserved, and runs again when its lease lapses.
 *
 * @param ended told once, when nothing is left to do but perhaps to wait for the handler.
 */
export function startAttempt(held: HeldJob, context: AttemptContext, ended: OnAttemptEnd): void {
  const { reserved } = held;
  const decoded =
    reserved.problem === undefined ? context.wire.decode(reserved.body) : { problem: reserved.problem };
  if ('problem' in decoded) {
    giveUpUnreadable(held, decoded.problem, context, ended);
    return;
  }
  const { payload } = decoded;
  const handler = context.registry.find(payload.job);
  if (!handler && isObjectJob(payload.job) && reserved.givenUp === undefined) {
    putOff(held, shownPayload(payload), context, ended);
    return;
  }
  const rules = rulesFor(payload, handler, context.defaults, context.inline);
  const attempt = new Attempt(held, payload, handler, rules, context, ended);

  const startedLast = startedHere(reserved, context);
  if (reserved.givenUp !== undefined) attempt.giveUp(reserved.givenUp);
  else if (startedLast || !isLastChance(reserved.attempts, rules, false)) attempt.begin(startedLast);
  else void attempt.beginUnlessRecorded();
}

/** An attempt at a job that could be read. */
class Attempt implements Runner {
  readonly #held: HeldJob;
  readonly #payload: Payload;
  readonly #handler: Handler | undefined;
  readonly #rules: AttemptRules;
  readonly #context: AttemptContext;
  readonly #settlement: Settlement;

  constructor(
    held: HeldJob,
    payload: Payload,
    handler: Handler | undefined,
    rules: AttemptRules,
    context: AttemptContext,
    ended: OnAttemptEnd,
  ) {
    this.#held = held;
    this.#payload = payload;
    this.#handler = handler;
    this.#rules = rules;
    this.#context = context;
    this.#settlement = new Settlement(held, payload, handler, context, ended);
  }

  giveUp(problem: string): void {
    const error = new QueueError('E_MAX_TRIES', problem);
    this.#settlement.settle({ action: 'fail', reason: 'max-tries', error });
  }

  /** Whoever wrote its record died before the delete. */
  async beginUnlessRecorded(): Promise<void> {
    const { settler, connection } = this.#context;
    this.begin(await settler.isRecorded(this.#held.reserved, connection));
  }

  /** Fires the job, unless it must not run. */
  begin(startedLast: boolean): void {
    const { attempts } = this.#held;
    const { job } = this.#settlement;
    const { timeoutMs } = this.#rules;
    const context = this.#context;
    const refused = guard(this.#payload, this.#handler, { attempts, startedLast }, this.#rules, context);
    if (refused) {
      this.#settlement.settle(refused);
      return;
    }
    const run = new Run(job, this, timeoutMs, context);
    const ready = context.onStart?.(this.#held, job, timeoutMs);
    if (ready === undefined) run.start();
    else void startWhen(ready, run);
  }

  tellTimeout(timeoutMs: number): void {
    this.#settlement.tellTimeout(timeoutMs);
  }

  handlerEnded(result?: unknown): void {
    this.#settlement.handlerEnded(result);
  }

  ran(end: FireEnd): void {
    this.#settlement.ran(end);
    const { job } = this.#settlement;
    if (job.wasSettling || this.#handler?.attemptFailed) void this.#decideLater(end);
    else this.#conclude(this.#decide(end, job.state), end);
  }

  /** Once a verb of the handler has ended; where an attempt failed, the job may have a say in it. */
  async #decideLater(end: FireEnd): Promise<void> {
    const { job } = this.#settlement;
    const verdict = this.#decide(end, await job.settledState());
    const { data } = this.#payload;
    const { body } = this.#held.reserved;
    const now = new CircumstancesNow(this.#context);
    const about = { handler: this.#handler, job, data, body, rules: this.#rules, now };
    this.#conclude(await amended(verdict, about, this.#context), end);
  }

  #decide(end: FireEnd, state: JobState): Verdict {
    const { settler } = this.#context;
    const { attempts, exceptions } = this.#held.reserved;
    const job = {
      state,
      ack: this.#handler?.settings.ack ?? 'auto',
      attempts,
      // A store that does not tell errors from other deliveries: each may have been one.
      exceptions: settler.canCountThrown ? (exceptions ?? 0) : attempts - 1,
    };
    const now = new CircumstancesNow(this.#context);
    return this.#settlement.handling.verdictOnData(end) ?? decide(end, job, this.#rules, now);
  }

  #conclude(verdict: Verdict, end: FireEnd): void {
    if (verdict.action === 'delete' && !end.stillRunning) this.#context.onDone?.(this.#held);
    if (verdict.action === 'none') void this.#settlement.keep(end);
    else this.#settlement.settle(verdict);
  }
}

async function startWhen(ready: Promise<void>, run: Run): Promise<void> {
  await ready;
  run.start();
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
  return afterUnknown(payload, attempts, rules, patienceMs, new CircumstancesNow(context));
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

/** Read when a decision needs it: that on a handler that returned does not. */
class CircumstancesNow implements Circumstances {
  readonly #clock: Clock;

  constructor({ clock }: AttemptContext) {
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock.now();
  }

  get random(): number {
    return Math.random();
  }
}

/** Leaves an object job to PHP's workers for a while, then gives it up. */
function putOff(held: HeldJob, payload: Payload, context: AttemptContext, ended: OnAttemptEnd): void {
  const { defaults, inline, settler, sightings, clock } = context;
  const { queue, id } = held;
  const patienceMs = inline ? 0 : defaults.unknownJobPatienceMs;
  const can = { patienceMs, postpone: settler.canPostpone, record: inline || settler.keepsFailures };
  const seenForMs = sightings.sinceFirstMs(queue, id, clock.now(), Math.max(patienceMs, forgottenMs));
  const verdict = afterObjectJob(payload.job, seenForMs, can, new CircumstancesNow(context));
  if (verdict.action === 'fail') sightings.forget(queue, id);
  new Settlement(held, payload, undefined, context, ended).settle(verdict);
}

function giveUpUnreadable(
  held: HeldJob,
  problem: string,
  context: AttemptContext,
  ended: OnAttemptEnd,
): void {
  const { reserved } = held;
  const payload = { job: unreadable, maxTries: null, timeout: null, data: null, id: reserved.id };
  const raw = new HeldJob({ ...reserved, body: reserved.raw ?? reserved.body }, held.confirmedMs);
  const settlement = new Settlement(raw, payload, undefined, context, (_, end) => ended(held, end));
  const error = new QueueError('E_PAYLOAD_INVALID', problem);
  settlement.settle({ action: 'fail', reason: 'bad-payload', error });
}

import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { QueueError } from './errors.js';
import type { JobFields } from './logger.js';

/** What links the run of a job to its push, as W3C Trace Context writes it. Travels in the payload. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What one call to `push`, `later`, `bulk` or `pushMany` stores. */
export interface PushedJobs {
  readonly connection: string;
  /** Undefined where the jobs go to several. */
  readonly queue: string | undefined;
  /** The wire name; undefined where they have several. */
  readonly name: string | undefined;
  readonly ids: readonly string[];
}

/** A push under way. */
export interface PushTrace {
  /** What its payloads carry. */
  readonly context: TraceContext | undefined;
  /** Told what is pushed, before it is stored. */
  describe(pushed: PushedJobs): void;
}

/** A delivery of a job whose handler is about to run. */
export interface TracedRun extends JobFields {
  /** Where its push stands in a trace. */
  readonly trace?: TraceContext | undefined;
}

/**
 * Who follows jobs from push to run: the value of `tracing` in the config. Both verbs call `work` once, at once, and
 * answer or throw what it does.
 */
export interface Tracer {
  push<T>(work: (trace: PushTrace) => Promise<T>): Promise<T>;
  /** @param work runs the handler, and answers why it was aborted, where it was and ended all the same. */
  run(job: TracedRun, work: () => Promise<QueueError | undefined>): Promise<QueueError | undefined>;
}

/** What subscribers of `tracing:drover:push:*` are given; `pushed` is there once the push was found good. */
export interface PushMessage {
  pushed?: PushedJobs;
}

const pushes = tracingChannel<unknown, PushMessage>('drover:push');
const runs = tracingChannel<unknown, TracedRun>('drover:run');

/** Of a push that nobody follows: there is nobody to describe it to. */
export const untraced: PushTrace = { context: undefined, describe() {} };

/** Runs a push under the tracer and the channel `drover:push`, as far as there are any. */
export function tracePush<T>(tracer: Tracer | undefined, work: (trace: PushTrace) => Promise<T>): Promise<T> {
  return tracer || hasSubscribers(pushes) ? followed(tracer, work) : work(untraced);
}

async function followed<T>(tracer: Tracer | undefined, work: (trace: PushTrace) => Promise<T>): Promise<T> {
  if (tracer && !hasSubscribers(pushes)) return await tracer.push(work);
  const message: PushMessage = {};
  const told = (trace: PushTrace) =>
    work({
      context: trace.context,
      describe(pushed) {
        message.pushed = pushed;
        trace.describe(pushed);
      },
    });
  return await pushes.tracePromise(() => (tracer ? tracer.push(told) : told(untraced)), message);
}

/** Runs a handler under the tracer and the channel `drover:run`; undefined where there is neither. */
export function runTracer(tracer: Tracer | undefined): Tracer['run'] | undefined {
  if (!hasSubscribers(runs)) return tracer && ((job, work) => tracer.run(job, work));
  return (job, work) => runs.tracePromise(() => (tracer ? tracer.run(job, work) : work()), job);
}

/** `TracingChannel` itself tells it from Node 22 on only. */
function hasSubscribers(channel: TracingChannel<unknown, never> | TracingChannel): boolean {
  const { start, end, asyncStart, asyncEnd, error } = channel as TracingChannel;
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/** True for what fits `tracing` of the config. */
export function isTracer(value: unknown): value is Tracer {
  if (typeof value !== 'object' || value === null) return false;
  const { push, run } = value as Record<string, unknown>;
  return typeof push === 'function' && typeof run === 'function';
}

const traceparentForm = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
/** W3C asks to pass on 512 characters at least; each counts in the payload of every job. */
const longestTracestate = 512;

/** The trace context among fields of a payload, or of a tracer. What is none is left out: no job is refused for it. */
export function asTraceContext(fields: Readonly<Record<string, unknown>>): TraceContext | undefined {
  const { traceparent, tracestate } = fields;
  if (typeof traceparent !== 'string' || !traceparentForm.test(traceparent)) return undefined;
  const isState =
    typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= longestTracestate;
  return { traceparent, ...(isState && { tracestate }) };
}

import type * as OpenTelemetry from '@opentelemetry/api';
import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { describeError } from '../../src/error-text.js';
import type { PushedJobs, TraceContext, TracedRun, Tracer } from '../../src/index.js';
import { asTraceContext } from '../../src/tracing.js';
import { loadPackage } from './load-package.js';

type Api = typeof OpenTelemetry;

/**
 * Spans of OpenTelemetry for pushes and runs: the value of `tracing` in the config. A push is a span of kind PRODUCER
 * whose context travels in the payload; each run of the job is one of kind CONSUMER below it. Spans go to the provider
 * that the process has registered with `@opentelemetry/api`, before or after this call; without one nothing is made.
 *
 * @throws QueueError `E_DRIVER_MISSING` where `@opentelemetry/api` is not installed.
 */
export function opentelemetry(): Tracer {
  const api = loadPackage<Api>('@opentelemetry/api', 1, 'traces');
  const { context, SpanKind, trace } = api;
  const tracer = trace.getTracer('drover');
  const within = async <T>(parent: Context, span: Span, work: () => Promise<T>): Promise<T> => {
    try {
      return await context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      markFailed(api, span, error);
      throw error;
    } finally {
      span.end();
    }
  };
  return {
    push(work) {
      const active = context.active();
      const span = tracer.startSpan(
        'send',
        { kind: SpanKind.PRODUCER, attributes: operation('send') },
        active,
      );
      const describe = (pushed: PushedJobs) => describePush(span, pushed);
      return within(active, span, () => work({ context: carriedContext(api, span), describe }));
    },
    run(job, work) {
      const parent = parentOf(api, job.trace);
      const attributes = { ...operation('process'), ...jobAttributes(job) };
      const span = tracer.startSpan(`process ${job.queue}`, { kind: SpanKind.CONSUMER, attributes }, parent);
      return within(parent, span, async () => {
        const aborted = await work();
        if (aborted) markFailed(api, span, aborted);
        return aborted;
      });
    },
  };
}

function operation(name: 'send' | 'process') {
  return {
    'messaging.system': 'drover',
    'messaging.operation.name': name,
    'messaging.operation.type': name,
  };
}

function describePush(span: Span, { connection, queue, name, ids }: PushedJobs): void {
  const [id] = ids;
  if (queue !== undefined) {
    span.updateName(`send ${queue}`);
    span.setAttribute('messaging.destination.name', queue);
  }
  if (name !== undefined) span.setAttribute('drover.job.name', name);
  if (ids.length === 1 && id !== undefined) span.setAttribute('messaging.message.id', id);
  else span.setAttribute('messaging.batch.message_count', ids.length);
  span.setAttribute('drover.connection', connection);
}

function jobAttributes({ id, name, queue, connection, attempts }: TracedRun) {
  return {
    'messaging.destination.name': queue,
    'messaging.message.id': id,
    'drover.connection': connection,
    'drover.job.name': name,
    'drover.job.attempts': attempts,
  };
}

/** Text of the error alone, as everywhere: other properties may hold secrets. */
function markFailed({ SpanStatusCode }: Api, span: Span, error: unknown): void {
  const { class: name, message, code, stack } = describeError(error);
  span.recordException({ name, message, stack });
  span.setAttribute('error.type', code ?? name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Always in W3C's form, whatever propagator the process has for its requests. */
function carriedContext({ isSpanContextValid }: Api, span: Span): TraceContext | undefined {
  const spanContext = span.spanContext();
  if (!isSpanContextValid(spanContext)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const flags = traceFlags.toString(16).padStart(2, '0');
  const traceparent = `00-${traceId}-${spanId}-${flags}`;
  return asTraceContext({ traceparent, tracestate: traceState?.serialize() });
}

function parentOf({ context, createTraceState, trace }: Api, carried: TraceContext | undefined): Context {
  const active = context.active();
  if (!carried) return active;
  const [, traceId = '', spanId = '', flags = '00'] = carried.traceparent.split('-');
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(carried.tracestate !== undefined && { traceState: createTraceState(carried.tracestate) }),
  };
  return trace.setSpanContext(active, spanContext);
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterEach, expect, test } from 'vitest';
import { opentelemetry } from '../../config/telemetry/opentelemetry.js';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, defineJob, type JobContext, type Queue } from '../../src/index.js';
import { CliProject } from '../support/cli.js';
import { workOff } from '../support/recorder.js';

let provider: NodeTracerProvider | undefined;

afterEach(async () => {
  await provider?.shutdown();
  trace.disable();
  context.disable();
});

/** Registers a provider for this process, as an application does; its spans are kept. */
function register(options: ConstructorParameters<typeof NodeTracerProvider>[0] = {}): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  provider = new NodeTracerProvider({ ...options, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  return exporter;
}

function queueOf(handle: (context: JobContext<unknown>) => unknown): Queue {
  const job = defineJob({ name: 'mail.send', handle, backoff: 0, tries: 2 });
  const connections = { main: memory(), inline: sync() };
  return createQueue({ default: 'main', connections, jobs: [job], tracing: opentelemetry() });
}

/** What a span says, without its times and ids. */
const shown = ({ name, kind, attributes }: ReadableSpan) => ({ name, kind, attributes });

test('a push and the run below it, by the conventions for messaging', async () => {
  const exporter = register();
  const queue = queueOf(() => {});
  const id = await trace.getTracer('app').startActiveSpan('request', async (span) => {
    const pushed = await queue.push('mail.send', null, { queue: 'mail' });
    span.end();
    return pushed;
  });
  await workOff(queue, { queues: ['mail'] });
  const [send, request, run] = exporter.getFinishedSpans() as [ReadableSpan, ReadableSpan, ReadableSpan];
  const common = {
    'messaging.system': 'drover',
    'messaging.destination.name': 'mail',
    'messaging.message.id': id,
    'drover.connection': 'main',
    'drover.job.name': 'mail.send',
  };
  const operation = (name: string) => ({
    'messaging.operation.name': name,
    'messaging.operation.type': name,
  });
  expect(shown(send)).toEqual({
    name: 'send mail',
    kind: SpanKind.PRODUCER,
    attributes: { ...common, ...operation('send') },
  });
  expect(shown(run)).toEqual({
    name: 'process mail',
    kind: SpanKind.CONSUMER,
    attributes: { ...common, ...operation('process'), 'drover.job.attempts': 1 },
  });
  expect(send.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  const { traceId, spanId } = send.spanContext();
  expect(run.parentSpanContext).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true });
});

test('the handler runs within its span, and what it pushes is below it', async () => {
  const exporter = register();
  const queue = queueOf(async ({ data }) => {
    if (data === 'first') await queue.push('mail.send', 'second');
  });
  await queue.push('mail.send', 'first');
  await workOff(queue);
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name).sort()).toEqual([
    'process default',
    'process default',
    'send default',
    'send default',
  ]);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('each attempt has a span, with the error that it threw', async () => {
  const exporter = register();
  const queue = queueOf(({ job }) => {
    if (job.attempts() > 1) return;
    throw Object.assign(new RangeError('no mysql://root:s3cr3t@host today'), {
      code: 'E_NO',
      secret: 's3cr3t',
    });
  });
  await queue.push('mail.send');
  await workOff(queue, { sleep: '1s' });
  const [, failed, ran] = exporter.getFinishedSpans();
  expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no mysql://***@host today' });
  expect(failed?.attributes['error.type']).toBe('E_NO');
  expect(failed?.events[0]).toMatchObject({
    name: 'exception',
    attributes: { 'exception.type': 'RangeError' },
  });
  expect(JSON.stringify([failed?.events, failed?.attributes])).not.toContain('s3cr3t');
  expect(ran).toMatchObject({
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'drover.job.attempts': 2 },
  });
  expect(ran?.parentSpanContext?.spanId).toBe(failed?.parentSpanContext?.spanId);
});

test('a handler that ends after its timeout is an error, and so is a push that is refused', async () => {
  const exporter = register();
  const queue = queueOf(
    ({ signal }) => new Promise<void>((end) => signal.addEventListener('abort', () => end())),
  );
  await queue.push('mail.send', null, { timeout: '20ms', tries: 1 });
  await workOff(queue);
  await expect(queue.push('mail.send', 1n)).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
  const [, run, refused] = exporter.getFinishedSpans();
  expect(run).toMatchObject({
    attributes: { 'error.type': 'E_TIMEOUT' },
    status: { code: SpanStatusCode.ERROR },
  });
  expect(refused).toMatchObject({ name: 'send', attributes: { 'error.type': 'E_PAYLOAD_INVALID' } });
});

test('jobs that are pushed together share the span of the push', async () => {
  const exporter = register();
  const queue = queueOf(() => {});
  await queue.pushMany([['mail.send'], ['mail.send'], ['other', null, { queue: 'q' }]]);
  await workOff(queue);
  const [send, ...runs] = exporter.getFinishedSpans();
  expect(send?.attributes['messaging.batch.message_count']).toBe(3);
  expect(send?.attributes).not.toHaveProperty('messaging.destination.name');
  expect(runs).toHaveLength(2);
  for (const run of runs) expect(run.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
});

test('a job that runs as it is pushed has its span within that of the push', async () => {
  const exporter = register();
  await queueOf(() => {}).push('mail.send', null, { connection: 'inline' });
  const [run, send] = exporter.getFinishedSpans();
  expect(run?.name).toBe('process default');
  expect(run?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
});

test('what is not sampled stays so, across the queue', async () => {
  const exporter = register({ sampler: new AlwaysOffSampler() });
  let carried: string | undefined;
  const queue = queueOf(({ job }) => {
    carried = job.payload().trace?.traceparent;
  });
  await queue.push('mail.send');
  await workOff(queue);
  expect(carried).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('without a provider payloads carry nothing, and jobs run as ever', async () => {
  let payload: unknown;
  const queue = queueOf(({ job }) => {
    payload = job.payload();
  });
  await queue.push('mail.send', 'data');
  await workOff(queue);
  expect(payload).toMatchObject({ data: 'data' });
  expect(payload).not.toHaveProperty('trace');
});

test('what is no tracer is refused', () => {
  const tracing = true as unknown as ReturnType<typeof opentelemetry>;
  expect(() => createQueue({ connections: { main: memory() }, tracing })).toThrow(
    expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining('tracing') }),
  );
});

test('from one process to another: one trace', async () => {
  const folder = join(import.meta.dirname, '../..');
  const project = new CliProject({
    'spans.mjs': `
import { createRequire } from 'node:module';
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } =
  createRequire('${folder}/package.json')('@opentelemetry/sdk-trace-node');
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
export const tell = () => {
  for (const span of exporter.getFinishedSpans()) {
    const { traceId, spanId } = span.spanContext();
    console.log(JSON.stringify({ pid: process.pid, name: span.name, traceId, spanId, parent: span.parentSpanContext?.spanId }));
  }
};`,
    'queue.mjs': `
import { createQueue, defineJob } from 'drover';
import { database } from 'drover/drivers/database';
import { opentelemetry } from 'drover/opentelemetry';
const job = defineJob({ name: 'job', handle() {} });
export const queue = createQueue({
  connections: { main: database('sqlite:./queue.sqlite') }, jobs: [job], tracing: opentelemetry(),
});`,
    'push.mjs': `
import { tell } from './spans.mjs';
import { queue } from './queue.mjs';
await queue.push('job');
await queue.close();
tell();`,
    'work.mjs': `
import { tell } from './spans.mjs';
import { queue } from './queue.mjs';
await queue.worker({ stopWhenEmpty: true }).run();
await queue.close();
tell();`,
  });
  try {
    const spansOf = async (program: string) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: project.directory });
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, string>);
    };
    const [send, ...noMore] = await spansOf('push.mjs');
    const [run, ...noneBeside] = await spansOf('work.mjs');
    expect([noMore, noneBeside]).toEqual([[], []]);
    expect([send?.name, run?.name]).toEqual(['send default', 'process default']);
    expect(run?.pid).not.toBe(send?.pid);
    expect(run?.traceId).toBe(send?.traceId);
    expect(run?.parent).toBe(send?.spanId);
  } finally {
    await project.remove();
  }
});

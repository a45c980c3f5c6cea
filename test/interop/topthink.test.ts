import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TopthinkConnector } from '../../drivers/topthink/connector.js';
import { type TopthinkOptions, topthink } from '../../drivers/topthink/index.js';
import { readTopthinkOptions } from '../../drivers/topthink/options.js';
import { Service } from '../../drivers/topthink/service.js';
import { topthinkFormat } from '../../drivers/topthink/wire.js';
import { createQueue, type Job, silentLogger, systemClock } from '../../src/index.js';
import { golden } from '../support/golden.js';
import { type SeenRequest, TopthinkService, withoutBoundary } from '../support/topthink-service.js';

interface GoldenRequest {
  readonly request_line: string;
  readonly headers: readonly string[];
  readonly body: string;
}

interface GoldenCase {
  readonly name: string;
  readonly call: string;
  readonly result: unknown;
  readonly http_requests: readonly GoldenRequest[];
  readonly handler_calls?: readonly Record<string, unknown>[];
}

const { cases } = golden<{ cases: readonly GoldenCase[] }>('think-queue-1.1.6-topthink');

function recorded(name: string): GoldenCase & { readonly requests: readonly SeenRequest[] } {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  const requests = found.http_requests.map(({ request_line: line, headers, body }) =>
    withoutBoundary({ line, headers, body }),
  );
  return { ...found, requests };
}

let service: TopthinkService;
beforeAll(async () => {
  service = await TopthinkService.start();
});
afterAll(() => service.stop());
beforeEach(() => service.reset());

const options = (): TopthinkOptions => ({
  token: 'TOKEN-1',
  projectId: 'proj-1',
  protocol: 'http',
  host: '127.0.0.1',
  port: service.port,
});

/** The verbs below the queue's own checks, as PHP's queue may be called `gol den/1`. */
function open(projectId: string, pauses: number[] = []) {
  const settings = readTopthinkOptions({ ...options(), projectId });
  const http = new Service(settings, async (ms) => void pauses.push(ms));
  const context = {
    connection: 'topthink',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  };
  return { http, connector: new TopthinkConnector(http, context) };
}

const payloadOf = (job: string, data: unknown) =>
  topthinkFormat.encode({ job, data, maxTries: null, timeout: null, id: 'x' });

describe('pushes send what PHP sends', () => {
  test.each([
    ['push', 'app\\job\\Demo', { name: '中文/x', o: {} }, 'gol den/1', 0],
    ['later', 'app\\job\\Demo@task1', 'd', 'golden', 60_000],
    ['push_default_queue', 'app\\job\\Demo', '', 'default', 0],
  ])('%s', async (name, job, data, queue, delayMs) => {
    const { connector } = open('proj-1');
    const [outcome] = await connector.push(queue, [{ id: 'x', body: payloadOf(job, data), delayMs }]);
    const { requests } = recorded(name);
    expect(requests).toHaveLength(1);
    expect(service.requests).toEqual(requests);
    expect(outcome).toEqual({ storedAs: expect.stringMatching(/^msg-\d+$/) });
  });

  test('push_1.1.6_as_shipped: PHP sends nothing, ours does', () => {
    expect(recorded('push_1.1.6_as_shipped').requests).toEqual([]);
  });

  test('through the queue, whose id is the service’s', async () => {
    const queue = createQueue({ connections: { default: topthink(options()) } });
    const id = await queue.push('app\\job\\Demo', '');
    expect(id).toMatch(/^msg-\d+$/);
    await queue.later(60, 'app\\job\\Demo@task1', 'd', { queue: 'golden' });
    expect(service.requests).toEqual([
      ...recorded('push_default_queue').requests,
      ...recorded('later').requests,
    ]);
    await queue.close();
  });
});

test('deleteMessage', async () => {
  expect(await open('proj-1').http.remove('golden', 'msg-7')).toBe(true);
  expect(service.requests).toEqual(recorded('deleteMessage').requests);
});

test('http_503: three tries, after growing waits', async () => {
  service.react = () => ({ status: 503, text: 'TOKEN-1' });
  const pauses: number[] = [];
  const { connector } = open('fail500', pauses);
  const body = payloadOf('app\\job\\Demo', 'd');
  await expect(connector.push('golden', [{ id: 'x', body }])).rejects.toMatchObject({
    code: 'E_STORE_UNAVAILABLE',
    message: 'the service answered 503, 3 times',
    transient: true,
    ambiguous: true,
  });
  expect(service.requests).toEqual(recorded('http_503').requests);
  expect(pauses).toHaveLength(2);
  expect(pauses[0]).toBeLessThan(100);
  expect(pauses[1]).toBeLessThan(400);
});

test('http_403: no second try', async () => {
  service.react = () => ({ status: 403, text: 'no TOKEN-1' });
  const { connector } = open('fail403');
  const body = payloadOf('app\\job\\Demo', 'd');
  await expect(connector.push('golden', [{ id: 'x', body }])).rejects.toMatchObject({
    code: 'E_CONFIG',
    message: 'the service refuses the request (403)',
    transient: false,
    ambiguous: false,
  });
  expect(service.requests).toEqual(recorded('http_403').requests);
});

describe('the endpoint takes what the service sends', () => {
  /** Sends the recorded call to an endpoint whose job does what the recorded class does. */
  async function replay(name: string) {
    const calls: Record<string, unknown>[] = [];
    const note = (method: string, job: Job) =>
      calls.push({
        class: 'app\\job\\Demo',
        method,
        attempts: job.attempts(),
        queue: job.queue,
        name: job.name,
        data: job.data,
      });
    class Demo {
      static jobName = 'app\\job\\Demo';
      static tasks = ['noop', 'rel', 'boom'];
      static ack = 'manual' as const;
      async fire(job: Job): Promise<void> {
        note('fire', job);
        await job.delete();
      }
      noop(job: Job): void {
        note('noop', job);
      }
      async rel(job: Job<{ delay: number }>): Promise<void> {
        note('rel', job);
        await job.release(job.data.delay);
      }
      boom(job: Job): void {
        note('boom', job);
        throw new Error('boom');
      }
      failed(data: unknown): void {
        calls.push({ class: 'app\\job\\Demo', method: 'failed', data });
      }
    }
    const driver = topthink(options());
    const queue = createQueue({
      connections: { default: driver },
      jobs: [Demo],
      failed: 'none',
      worker: { backoff: 7 },
    });
    const { call, handler_calls = [], ...rest } = recorded(name);
    const [, head = '', body = ''] = /headers (.*) body (.*)$/.exec(call) ?? [];
    const headers = head.split(' | ').map((line) => line.split(': ') as [string, string]);
    const endpoint = driver.endpoint(queue, { verify: () => true });
    const response = await endpoint(new Request('http://localhost/push', { method: 'POST', headers, body }));
    const { status } = response;
    const text = await response.text();
    await queue.close();
    const php = handler_calls.map(({ raw, dataType, args, error, ...call }) => call);
    return { calls, php, status, text, requests: rest.requests };
  }

  test('marshal_success', async () => {
    const { calls, php, status, text, requests } = await replay('marshal_success');
    expect(calls).toEqual(php);
    expect([status, text]).toEqual([200, 'OK']);
    expect(service.requests).toEqual(requests);
  });

  test('marshal_release: the message is stored afresh before the old one is removed, not after', async () => {
    const { calls, php, status, requests } = await replay('marshal_release');
    expect(calls).toEqual(php);
    expect(status).toBe(200);
    expect(requests).toHaveLength(2);
    expect(service.requests).toEqual([...requests].reverse());
  });

  test('marshal_noop: what nobody settled is not OK, and sent again', async () => {
    const { calls, php, status, requests } = await replay('marshal_noop');
    expect(calls).toEqual(php);
    expect(status).toBe(500);
    expect(service.requests).toEqual(requests);
  });

  test('marshal_failed_status: nothing is run but the hook, and nothing sent', async () => {
    const { calls, php, status, requests } = await replay('marshal_failed_status');
    expect(calls).toEqual(php);
    expect(status).toBe(200);
    expect(service.requests).toEqual(requests);
  });

  test('marshal_throws: released under the rules of the worker, where PHP leaves it to the service', async () => {
    const { calls, php, status } = await replay('marshal_throws');
    expect(calls).toEqual(php);
    expect(status).toBe(200);
    expect(service.requests.map(({ line }) => line.split(' ')[0])).toEqual(['POST', 'DELETE']);
    expect(service.requests[0]?.body).toMatch(/name="attempts"\r\n\r\n2\r\n[\s\S]*name="delay"\r\n\r\n7\r\n/);
  });
});

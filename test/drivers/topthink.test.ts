import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { type TopthinkOptions, topthink } from '../../drivers/topthink/index.js';
import { readTopthinkOptions } from '../../drivers/topthink/options.js';
import { Service } from '../../drivers/topthink/service.js';
import { createQueue, defineJob, type Queue, type QueueConfig, QueueError } from '../../src/index.js';
import { makeCertificates } from '../support/certificates.js';
import { TopthinkService } from '../support/topthink-service.js';

const token = 'CANARY-TOKEN';

let service: TopthinkService;
const open: Queue[] = [];
beforeAll(async () => {
  service = await TopthinkService.start();
});
afterAll(() => service.stop());
beforeEach(() => service.reset());
afterEach(async () => {
  vi.useRealTimers();
  for (const queue of open.splice(0)) await queue.close();
});

const options = (others: Partial<TopthinkOptions> = {}): TopthinkOptions => ({
  token,
  projectId: 'p',
  protocol: 'http',
  host: '127.0.0.1',
  port: service.port,
  ...others,
});

function setUp(config: Partial<QueueConfig> = {}, others: Partial<TopthinkOptions> = {}) {
  const driver = topthink(options(others));
  const queue = createQueue({ connections: { push: driver, kept: memory() }, default: 'push', ...config });
  open.push(queue);
  return { driver, queue };
}

async function errorOf(promise: Promise<unknown>): Promise<QueueError> {
  const error = await promise.then(
    () => new Error('it resolved'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof QueueError)) throw error;
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('CANARY');
  return error;
}

const methods = () => service.requests.map(({ line }) => line.split(' ')[0]);

describe('options', () => {
  test.each<[string, object, string]>([
    ['no token', { projectId: 'p' }, 'topthink: token is missing'],
    [
      'a line in the token',
      { token: 'CANARY\n', projectId: 'p' },
      'topthink: token is empty, or has characters that it cannot have',
    ],
    ['no project', { token }, 'topthink: projectId is missing'],
    [
      'no such protocol',
      { token, projectId: 'p', protocol: 'ftp' },
      "topthink: protocol is neither 'https' nor 'http'",
    ],
    [
      'a URL as host',
      { token, projectId: 'p', host: 'http://h' },
      'topthink: host is empty, or has characters',
    ],
    ['PHP’s names', { token, project_id: 'p' }, 'topthink: there is no option project_id'],
  ])('%s', async (_, given, message) => {
    const error = await errorOf((async () => topthink(given as TopthinkOptions))());
    expect(error.code).toBe('E_CONFIG');
    expect(error.message).toContain(message);
  });

  test('have the defaults of PHP', () => {
    const { protocol, host, port, base, maxTries, timeoutMs } = readTopthinkOptions({
      token,
      projectId: 'a/b',
    });
    expect([protocol, host, port, base]).toEqual(['https', 'qns.topthink.com', 443, '/v1/project/a%2Fb']);
    expect([maxTries, timeoutMs]).toEqual([3, 10_000]);
  });

  test('the driver shows no token', () => {
    expect(inspect(setUp(), { depth: 9, showHidden: true })).not.toContain('CANARY');
  });
});

describe('a push', () => {
  test('has its own fate among those of one turn', async () => {
    const { queue } = setUp();
    service.react = (request) => (request.body.includes('bad') ? { status: 422 } : service.answer(request));
    const ends = await Promise.allSettled(['a', 'bad', 'c'].map((data) => queue.push('job', data)));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(service.requests).toHaveLength(3);
  });

  test('of several jobs is refused before anything is sent', async () => {
    const { queue } = setUp();
    expect(await errorOf(queue.bulk('job', [1, 2]))).toMatchObject({ code: 'E_UNSUPPORTED' });
    expect(service.requests).toEqual([]);
  });

  test('of a buffer goes singly', async () => {
    const buffer = setUp().queue.buffered();
    await Promise.all([buffer.push('job', 1), buffer.push('job', 2)]);
    await buffer.close();
    expect(methods()).toEqual(['POST', 'POST']);
  });

  test('with an id of its own is refused', async () => {
    expect(await errorOf(setUp().queue.push('job', 1, { id: 'mine' }))).toMatchObject({
      code: 'E_UNSUPPORTED',
    });
  });

  test('carries what it asks for beyond think-queue’s fields behind them', async () => {
    const { queue } = setUp();
    await queue.push('job', { a: 1 }, { tries: 2, timeout: 5 });
    expect(service.requests[0]?.body).toContain('{"job":"job","data":{"a":1},"maxTries":2,"timeout":5}');
  });

  test('goes through where the service comes back in time', async () => {
    service.react = (request) => (service.requests.length < 3 ? { status: 500 } : service.answer(request));
    const http = new Service(readTopthinkOptions(options()), async () => {});
    expect(await http.push('q', { payload: '{}', attempts: 0, delaySeconds: 0 })).toBe('msg-1');
    expect(service.requests).toHaveLength(3);
  });

  test.each([
    [
      'without an id',
      { status: 200, text: '<html>' } as const,
      { code: 'E_STORE_UNAVAILABLE', ambiguous: true },
    ],
    ['of a redirect', { status: 302 } as const, { code: 'E_CONFIG', ambiguous: false }],
    [
      'too many',
      { status: 429 } as const,
      { code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: false },
    ],
    ['too large', { status: 413 } as const, { code: 'E_PAYLOAD_TOO_LARGE', ambiguous: false }],
    ['without an end', { status: 200, text: 'x'.repeat(70_000) } as const, { ambiguous: true }],
    [
      'that never comes',
      'hang-up' as const,
      { code: 'E_STORE_UNAVAILABLE', transient: true, ambiguous: true },
    ],
  ])('and an answer %s', async (_, reaction, error) => {
    service.react = () => reaction;
    expect(await errorOf(setUp().queue.push('job'))).toMatchObject(error);
    expect(service.requests).toHaveLength(1);
  });

  test('is not ambiguous where nothing was sent', async () => {
    const closed = await TopthinkService.start();
    const { port } = closed;
    await closed.stop();
    expect(await errorOf(setUp({}, { port }).queue.push('job'))).toMatchObject({
      code: 'E_STORE_UNAVAILABLE',
      transient: true,
      ambiguous: false,
    });
  });

  test('is ambiguous where a second try does not get through', async () => {
    const http = new Service(readTopthinkOptions(options()), async () => {
      service.react = () => 'hang-up';
    });
    service.react = () => ({ status: 502 });
    const push = http.push('q', { payload: '{}', attempts: 0, delaySeconds: 0 });
    expect(await errorOf(push)).toMatchObject({ ambiguous: true });
  });

  test('ends at its time where the service says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const asked = once(silent, 'connection').then(([socket]) => once(socket as Socket, 'data'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const pushing = errorOf(setUp({}, { port, commandTimeout: '50ms' }).queue.push('job'));
    await asked;
    vi.advanceTimersByTime(50);
    const error = await pushing;
    expect(error).toMatchObject({ code: 'E_STORE_UNAVAILABLE', ambiguous: true });
    expect(error.message).toContain('no answer within 50 ms');
    silent.close();
  });

  test('ends when the connection is closed, between two tries too', async () => {
    service.react = () => ({ status: 503 });
    const http = new Service(readTopthinkOptions(options()), (_ms, signal) => {
      http.close();
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    });
    const push = http.push('q', { payload: '{}', attempts: 0, delaySeconds: 0 });
    expect(await errorOf(push)).toMatchObject({ code: 'E_QUEUE_CLOSED', ambiguous: true });
    expect(await errorOf(http.remove('q', 'x'))).toMatchObject({ code: 'E_QUEUE_CLOSED', ambiguous: false });
    expect(service.requests).toHaveLength(1);
  });

  test('over TLS trusts no certificate that Node or `ca` does not', async () => {
    const certificates = makeCertificates();
    const secure = await TopthinkService.start(certificates.server);
    const { port } = secure;
    const untrusted = setUp({}, { protocol: 'https', port }).queue;
    expect(await errorOf(untrusted.push('job'))).toMatchObject({ code: 'E_CONFIG', ambiguous: false });
    expect(secure.requests).toEqual([]);
    const { ca } = certificates;
    expect(await setUp({}, { protocol: 'https', port, ca }).queue.push('job')).toBe('msg-1');
    await secure.stop();
    certificates.remove();
  });
});

test('what the service has no verb for is refused', async () => {
  const { queue } = setUp({ failed: 'none' });
  for (const call of [queue.size(), queue.clear(), queue.pause()]) {
    expect(await errorOf(call)).toMatchObject({ code: 'E_UNSUPPORTED' });
  }
  expect(service.requests).toEqual([]);
});

test('a worker ends at once, and says why', async () => {
  const { queue } = setUp({ failed: 'none' });
  expect(await errorOf(queue.worker().run())).toMatchObject({ code: 'E_UNSUPPORTED' });
});

describe('an endpoint', () => {
  const job = (handle: () => unknown, more = {}) => defineJob({ name: 'job', handle, ...more });

  const delivery = (headers: Record<string, string> = {}, body = '{"job":"job","data":{"a":1}}') =>
    new Request('http://localhost/push', {
      method: 'POST',
      headers: {
        'topthink-message-id': 'm1',
        'topthink-message-queue': 'q',
        'topthink-message-attempts': '0',
        'topthink-message-status': 'success',
        ...headers,
      },
      body,
    });

  const verify = () => true;

  test('is none without verify', async () => {
    const { driver, queue } = setUp();
    const error = await errorOf((async () => driver.endpoint(queue, {} as never))());
    expect(error.code).toBe('E_CONFIG');
  });

  test.each<[string, () => Request, number]>([
    ['not from the service', () => delivery({ from: 'elsewhere' }), 403],
    ['of another method', () => new Request('http://localhost/push'), 405],
    ['without an id', () => delivery({ 'topthink-message-id': '' }), 400],
    ['whose id leads elsewhere', () => delivery({ 'topthink-message-id': '..' }), 400],
    ['of no queue', () => delivery({ 'topthink-message-queue': 'a b' }), 400],
    ['without attempts', () => delivery({ 'topthink-message-attempts': '-1' }), 400],
    ['without a status', () => delivery({ 'topthink-message-status': '' }), 400],
  ])('refuses a request %s', async (_, request, status) => {
    let runs = 0;
    const { driver, queue } = setUp({ jobs: [job(() => runs++)], failed: 'none' });
    const endpoint = driver.endpoint(queue, { verify: ({ headers }) => headers.get('from') === null });
    expect((await endpoint(request())).status).toBe(status);
    expect(runs).toBe(0);
    expect(service.requests).toEqual([]);
  });

  test('answers 500 where verify throws, or the queue is closed', async () => {
    const { driver, queue } = setUp({ jobs: [job(() => {})], failed: 'none' });
    const throwing = driver.endpoint(queue, { verify: () => Promise.reject(new Error(token)) });
    const answer = await throwing(delivery());
    expect([answer.status, await answer.text()]).toEqual([500, '']);
    await queue.close();
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(500);
  });

  test('stands behind a server of node, as docs/configuration.md has it', async () => {
    let data: unknown;
    const noting = defineJob({
      name: 'job',
      handle: (context) => {
        data = context.data;
      },
    });
    const { driver, queue } = setUp({ jobs: [noting], failed: 'none' });
    const endpoint = driver.endpoint(queue, { verify: ({ url }) => url.endsWith('?secret=s') });
    async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
      const { method = 'GET', url, headers } = incoming;
      const body = method === 'POST' ? { body: Readable.toWeb(incoming), duplex: 'half' } : {};
      const init = { method, headers: headers as Record<string, string>, ...body } as RequestInit;
      const response = await endpoint(new Request(`http://localhost${url}`, init));
      outgoing.writeHead(response.status).end(await response.text());
    }
    const server = createHttpServer((incoming, outgoing) => {
      respond(incoming, outgoing).catch(() => outgoing.writeHead(400).end());
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const send = async (secret: string) => {
      const { headers } = delivery();
      const url = `http://127.0.0.1:${port}/jobs?secret=${secret}`;
      const body = '{"job":"job","data":{"a":1}}';
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    expect(await send('t')).toBe(403);
    expect(data).toBeUndefined();
    expect(await send('s')).toBe(200);
    expect(data).toEqual({ a: 1 });
    server.closeAllConnections();
    server.close();
  });

  test('works on the connection that its queue names', async () => {
    const { driver, queue } = setUp({ default: 'kept', jobs: [job(() => {})], failed: 'none' });
    const answer = await driver.endpoint(queue.connection('push'), { verify })(delivery());
    expect(answer.status).toBe(200);
    expect(methods()).toEqual(['DELETE']);
  });

  test('needs a place for failed jobs, or the word that there is none', async () => {
    const { driver, queue } = setUp({ jobs: [job(() => {})] });
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(500);
    expect(service.requests).toEqual([]);
  });

  test('keeps what fails where the config says, then removes it; a retry pushes each again', async () => {
    const failing = job(
      () => {
        throw new Error('no');
      },
      { tries: 3 },
    );
    const { driver, queue } = setUp({ jobs: [failing], failed: { connection: 'kept' } });
    const endpoint = driver.endpoint(queue, { verify });
    for (const id of ['m1', 'm2']) {
      const last = { 'topthink-message-id': id, 'topthink-message-attempts': '2' };
      expect((await endpoint(delivery(last))).status).toBe(200);
    }
    expect(methods()).toEqual(['DELETE', 'DELETE']);
    const records = await queue.failed.list();
    expect(records.map(({ jobId }) => jobId).sort()).toEqual(['m1', 'm2']);
    expect(records[0]).toMatchObject({ reason: 'max-tries', attempts: 3, queue: 'q' });
    const outcomes = (await queue.failed.retry(records)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['retried', 'retried']);
    expect(methods()).toEqual(['DELETE', 'DELETE', 'POST', 'POST']);
    expect(service.requests[2]?.body).toContain('{"job":"job","data":{"a":1}}');
    expect(await queue.failed.list()).toEqual([]);
  });

  test('fails what the service has given up, for its reason, and asks nothing more of it', async () => {
    let runs = 0;
    const asked: unknown[] = [];
    const given = job(() => runs++, {
      attemptFailed: () => void asked.push('attemptFailed'),
      failed: ({ error }: { error: unknown }) => void asked.push((error as Error).message),
    });
    const { driver, queue } = setUp({ jobs: [given], failed: { connection: 'kept' } });
    const answer = await driver.endpoint(queue, { verify })(
      delivery({ 'topthink-message-status': 'failed' }),
    );
    expect(answer.status).toBe(200);
    expect(runs).toBe(0);
    expect(asked).toEqual(['the push service gave the job up (failed)']);
    expect(await queue.failed.list()).toMatchObject([{ reason: 'max-tries' }]);
    expect(service.requests).toEqual([]);
  });

  test('stores a released message afresh once, also where its removal has to be repeated', async () => {
    const seen: string[] = [];
    service.react = (request) => {
      const [method = ''] = request.line.split(' ');
      seen.push(method);
      const isFirst = seen.filter((one) => one === 'DELETE').length === 1;
      return method === 'DELETE' && isFirst ? 'hang-up' : service.answer(request);
    };
    const releasing = defineJob({ name: 'job', handle: ({ job }) => job.release('1500ms') });
    const { driver, queue } = setUp({ jobs: [releasing], failed: 'none' });
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(200);
    expect(seen).toEqual(['POST', 'DELETE', 'DELETE']);
    expect(service.requests[0]?.body).toMatch(/name="delay"\r\n\r\n2\r\n/);
  });

  test.each([
    ['lost', 'hang-up' as const],
    ['an error', { status: 500 } as const],
  ])('keeps the record of a job whose removal was done though its answer was %s', async (_, reaction) => {
    service.react = () => (methods().length === 1 ? reaction : { status: 404 });
    const failing = job(() => Promise.reject(new Error('no')), { tries: 1 });
    const { driver, queue } = setUp({ jobs: [failing], failed: { connection: 'kept' } });
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(200);
    expect(await queue.failed.list()).toMatchObject([{ jobId: 'm1', reason: 'max-tries' }]);
    expect(methods()).toEqual(['DELETE', 'DELETE']);
  });

  test('settles nothing of a message that is gone', async () => {
    service.react = () => ({ status: 404 });
    const { driver, queue } = setUp({ jobs: [job(() => {})], failed: 'none' });
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(500);
  });

  test('leaves a message to the service that it refuses to remove', async () => {
    service.react = () => ({ status: 403 });
    const { driver, queue } = setUp({ jobs: [job(() => {})], failed: 'none' });
    expect((await driver.endpoint(queue, { verify })(delivery())).status).toBe(500);
  });
});

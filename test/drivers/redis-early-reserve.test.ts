import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { RedisConnectors } from '../support/redis-connectors.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
let thread: Worker;
const connectors = new RedisConnectors();
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startRedis();
  thread = new Worker(pushAndLook, { eval: true, workerData: server.port });
  await once(thread, 'message');
});
beforeEach(() => server.client.flushall());
afterEach(() => connectors.close());
afterAll(async () => {
  await thread?.terminate();
  await server?.stop();
});

const connect = () => connectors.connect(server.url);

const body = (id: string, attempts = 0) => `{"job":"a","data":1,"id":"${id}","attempts":${attempts}}`;

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(5);
}

/** A connector that asked for so many jobs, found none, and waits. */
async function waits(limit: number, aborts: AbortSignal = signal, leaseMs = 60_000) {
  const connector = connect();
  expect(await connector.reserve(['q'], limit, leaseMs)).toEqual([]);
  const waiting = connector.waitForJob(['q'], 60_000, aborts);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  return { connector, waiting };
}

/** One that is woken by what `act` does. */
async function woken(limit: number, act: () => Promise<unknown>): Promise<ReturnType<typeof connect>> {
  const { connector, waiting } = await waits(limit);
  await act();
  await waiting;
  return connector;
}

/** Run by another thread, as one of ours waits for it without a turn of the event loop. */
const pushAndLook = `
const { parentPort, workerData } = require('node:worker_threads');
const client = new (require('ioredis').Redis)(workerData);
parentPort.on('message', async ({ member, answer, isDone }) => {
  await client.rpush('{queues:q}', member);
  const [ready, reserved] = [await client.llen('{queues:q}'), await client.zcard('{queues:q}:reserved')];
  answer.postMessage({ ready, reserved });
  Atomics.store(isDone, 0, 1);
  Atomics.notify(isDone, 0);
});
client.ping().then(() => parentPort.postMessage('connected'));`;

/**
 * Pushes as PHP does, and answers what is ready and reserved while nothing of ours has run since. The server soon takes
 * us for gone: a thread that is connected already needs no time to start in.
 */
function pushedBehindOurBack(id: string): { readonly ready: number; readonly reserved: number } {
  const { port1, port2 } = new MessageChannel();
  const isDone = new Int32Array(new SharedArrayBuffer(4));
  thread.postMessage({ member: body(id), answer: port2, isDone }, [port2]);
  Atomics.wait(isDone, 0, 0, 20_000);
  const answer = receiveMessageOnPort(port1);
  port1.close();
  return answer?.message;
}

const push = (...ids: string[]) =>
  connect().push(
    'q',
    ids.map((id) => ({ id, body: body(id) })),
  );
const sizeOf = () => connect().size('q');
const isReserved = async (count: number) => (await sizeOf()).reserved === count;

test('a job goes to the one who waited for it', async () => {
  const connector = await woken(1, () => push('one'));
  const [job] = await connector.reserve(['q'], 1, 60_000);
  expect(job).toMatchObject({ id: 'one', attempts: 1, body: body('one') });
  expect(await connector.delete(job ? [job.lease] : [])).toEqual([true]);
  expect(await sizeOf()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('what nobody asks for goes back in its order, its attempt unspent', async () => {
  await server.client.config('RESETSTAT');
  await woken(2, () => push('one', 'two', 'three'));
  const givenBack = async () =>
    String(await server.client.info('commandstats')).includes('cmdstat_lpush:calls=2');
  await until(givenBack);
  expect(await sizeOf()).toEqual({ ready: 3, delayed: 0, reserved: 0 });
  expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual(
    ['one', 'two', 'three'].map((id) => body(id)),
  );
});

test('closing gives back what nobody has asked for', async () => {
  const connector = await woken(1, () => push('one'));
  await connector.close();
  connectors.forget(connector);
  expect(await sizeOf()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual([body('one')]);
});

test('who asks for fewer than before gets no more than that', async () => {
  const connector = await woken(3, () => push('one', 'two', 'three'));
  expect((await connector.reserve(['q'], 1, 60_000)).map(({ id }) => id)).toEqual(['one']);
  await until(() => isReserved(1));
  expect((await connector.reserve(['q'], 5, 60_000)).map(({ id }) => id)).toEqual(['two', 'three']);
});

test('who asks for another lease gets that one', async () => {
  const connector = await woken(1, () => push('one'));
  await until(async () => (await connector.reserve(['q'], 1, 30_000)).length === 1);
  const [, endsAt] = await server.client.zrange('{queues:q}:reserved', '0', '-1', 'WITHSCORES');
  expect(Number(endsAt) * 1000 - Date.now()).toBeLessThan(31_000);
});

test('deletions that come with the reserve are done beside it', async () => {
  const connector = connect();
  await push('first');
  const [first] = await connector.reserve(['q'], 2, 60_000);
  if (!first || !connector.deleteAndReserve) throw new Error('nothing was reserved');
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await push('second');
  await waiting;
  const { held, jobs } = await connector.deleteAndReserve([first.lease], ['q'], 2, 60_000);
  expect(held).toEqual([true]);
  expect(jobs.map(({ id }) => id)).toEqual(['second']);
});

test('deletions beside a reserve that failed are told as they went', async () => {
  const connector = connect();
  await push('first');
  const [first] = await connector.reserve(['q', 'other'], 2, 60_000);
  if (!first || !connector.deleteAndReserve) throw new Error('nothing was reserved');
  const waiting = connector.waitForJob(['q', 'other'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await server.client.set('{queues:other}:delayed', 'of another program');
  await push('second');
  await waiting;
  const { held, jobs } = await connector.deleteAndReserve([first.lease], ['q', 'other'], 2, 60_000);
  expect({ held, jobs }).toEqual({ held: [true], jobs: [] });
  const next = connector.deleteAndReserve([], ['q', 'other'], 2, 60_000);
  await expect(next).rejects.toMatchObject({ code: 'E_STORE_SCHEMA' });
});

test('what PHP has delivered before, and what is no job, is left to the whole script', async () => {
  for (const member of [body('php', 2), 'no JSON']) {
    const connector = await woken(1, () => server.client.rpush('{queues:q}', member));
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject(member === 'no JSON' ? { body: member } : { id: 'php', attempts: 3 });
    await connector.delete(job ? [job.lease] : []);
    await connector.close();
    connectors.forget(connector);
  }
});

test('a wait without a reserve before it takes nothing', async () => {
  const connector = connect();
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => / cmd=blmove .*/.test(String(await server.client.client('LIST'))));
  await push('one');
  await waiting;
  expect(await sizeOf()).toMatchObject({ ready: 1, reserved: 0 });
});

test('the server reserves by itself as the job comes, and the worker asks it for nothing more', async () => {
  const { connector, waiting } = await waits(2);
  expect(pushedBehindOurBack('one')).toEqual({ ready: 0, reserved: 1 });
  await server.client.config('RESETSTAT');
  await waiting;
  expect(await connector.reserve(['q'], 2, 60_000)).toMatchObject([{ id: 'one', attempts: 1 }]);
  expect(await server.client.info('commandstats')).not.toContain('cmdstat_evalsha');
});

test.each([4094, 4095, 4096, 20_000])('a member of %i bytes comes whole, and is settled', async (bytes) => {
  const lease = '"lease":"0123456789abcdef0123456789abcdef",'.length;
  const text = 'é'.repeat(10) + 'x'.repeat(bytes - lease - body('one').length - 21);
  const long = body('one').replace('1', `"${text}"`);
  expect(Buffer.byteLength(long) + lease).toBe(bytes);
  const { connector, waiting } = await waits(2);
  await server.client.rpush('{queues:q}', long);
  await waiting;
  const [job] = await connector.reserve(['q'], 2, 60_000);
  expect(job).toMatchObject({ id: 'one', attempts: 1, body: long });
  expect(await connector.delete(job ? [job.lease] : [])).toEqual([true]);
  expect(await sizeOf()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
});

test('each job that comes is reserved so, one after the other', async () => {
  const connector = connect();
  for (const id of ['one', 'two', 'three']) {
    await until(async () => (await connector.reserve(['q'], 1, 60_000)).length === 0);
    const waiting = connector.waitForJob(['q'], 60_000, signal);
    await until(async () => / flags=b .* cmd=blmove /.test(String(await server.client.client('LIST'))));
    expect(pushedBehindOurBack(id)).toMatchObject({ ready: 0 });
    await waiting;
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject({ id });
    await connector.delete(job ? [job.lease] : []);
  }
});

test('the server reserves nothing for one who is not known to wait any more', async () => {
  const { connector, waiting } = await waits(1);
  await server.client.del('{queues:q}:watcher');
  expect(pushedBehindOurBack('one')).toEqual({ ready: 1, reserved: 0 });
  await waiting; // it is heard of all the same
  expect(await connector.reserve(['q'], 1, 60_000)).toMatchObject([{ id: 'one', attempts: 1 }]);
});

test('what comes after a wait was aborted goes back, its attempt unspent', async () => {
  const stop = new AbortController();
  const { waiting } = await waits(1, stop.signal);
  stop.abort();
  await waiting;
  await server.client.config('RESETSTAT');
  await server.client.rpush('{queues:q}', body('one'));
  await until(async () => String(await server.client.info('commandstats')).includes('cmdstat_lpush:calls=1'));
  expect(await sizeOf()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual([body('one')]);
});

test('a connection that is cut takes its reserve with it', async () => {
  const { connector, waiting } = await waits(1);
  for (const [, id] of String(await server.client.client('LIST')).matchAll(/id=(\d+) .* cmd=blmove /g))
    await server.client.client('KILL', 'ID', String(id));
  expect(pushedBehindOurBack('one')).toEqual({ ready: 1, reserved: 0 });
  await waiting; // until the next look
  expect(await connector.reserve(['q'], 1, 60_000)).toMatchObject([{ id: 'one', attempts: 1 }]);
});

test('closing at the very moment that the server reserves leaves no lease behind', async () => {
  for (let round = 0; round < 10; round++) {
    const { connector, waiting } = await waits(1);
    expect(pushedBehindOurBack('one')).toEqual({ ready: 0, reserved: 1 });
    connectors.forget(connector);
    await connector.close();
    await waiting;
    expect(await server.client.lrange('{queues:q}', 0, -1)).toEqual([body('one')]);
    expect(await server.client.zcard('{queues:q}:reserved')).toBe(0);
    await server.client.flushall();
  }
});

test('a job is not taken for held that was reserved long before this process had a turn to hear of it', async () => {
  const leaseMs = 12_000;
  const { connector, waiting } = await waits(1, signal, leaseMs);
  expect(pushedBehindOurBack('one')).toEqual({ ready: 0, reserved: 1 });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, leaseMs / 3); // as a handler does that blocks
  const turnAtMs = Date.now();
  await waiting;
  await new Promise((resolve) => setImmediate(resolve)); // as a worker asks
  const [job] = await connector.reserve(['q'], 1, leaseMs);
  expect(job).toMatchObject({ id: 'one', attempts: 1 });
  const reservedAtMs = Number.parseInt(String(job?.lease.token).slice(0, 14), 16) / 1000;
  expect(reservedAtMs).toBeGreaterThanOrEqual(turnAtMs);
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob, phpNames, type Queue } from '../../src/index.js';
import { golden } from '../support/golden.js';
import { openPhp } from '../support/php.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { ThinkQueue3 } from '../support/think-queue-3.js';
import { dumped, type Golden } from './golden-case.js';

const json = openPhp();
const ran: unknown[] = [];
const neighbour = defineJob({ name: 'neighbour', handle: ({ data }) => void ran.push(data) });
let server: RedisServer;
let queue: Queue | undefined;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  json.close();
  await server?.stop();
});
beforeEach(async () => {
  await server.client.flushall();
  ran.length = 0;
});
afterEach(() => queue?.close());

/** The queue as it is shared with the program that a file was recorded from. */
function sharedWith(file: string): Queue {
  const wire = file.startsWith('laravel') ? 'laravel' : 'think-3';
  queue = createQueue({
    connections: { default: redis({ url: server.url, queue: 'golden', wire }) },
    jobs: [neighbour],
    names: phpNames(),
  });
  return queue;
}

/** Where its program keeps ready jobs. */
function listOf(file: string): string {
  return file.startsWith('laravel') ? 'queues:golden' : '{queues:golden}';
}

/** The payload of a recorded push, as it was stored. */
function recorded(file: string, name: string): string {
  const { cases } = golden<{ readonly cases: readonly Golden[] }>(file);
  const [push] = cases.find((one) => one.name === name)?.commands ?? [];
  return push?.at(-1) ?? '';
}

async function work(shared: Queue, unknownJobPatience?: number): Promise<void> {
  const patience = unknownJobPatience === undefined ? {} : { unknownJobPatience };
  await shared.worker({ stopWhenEmpty: true, sleep: '10ms', tries: 1, ...patience }).run();
}

const objects: readonly [file: string, name: string, shown: string][] = [
  ['think-queue-3.0-redis', 'push_object', 'app\\job\\ObjJob'],
  ['think-queue-3.0-redis', 'push_object_options', 'app\\job\\ObjJobOpts'],
  ['laravel-12-redis', 'push_object', 'App\\Jobs\\Plain'],
  ['laravel-12-redis', 'push_object_options', 'App\\Jobs\\Demo'],
];

test.each(objects)('%s, %s: is not run, and waits on unspent while others run', async (file, name, shown) => {
  const [shared, member] = [sharedWith(file), recorded(file, name)];
  await server.client.rpush(listOf(file), member);
  await shared.push(neighbour, 1);
  await work(shared);
  await server.advance(60_000);
  await work(shared);
  expect(ran).toEqual([1]);
  expect(await shared.failed.list()).toEqual([]);
  expect(await shared.list()).toMatchObject([
    { name: shown, state: 'delayed', attempts: 0, payload: member },
  ]);
});

test.each(objects.slice(0, 2))('%s, %s: goes back to PHP byte for byte', async (file, name) => {
  const [shared, member] = [sharedWith(file), recorded(file, name)];
  await server.client.rpush(listOf(file), member);
  await work(shared);
  const { [`${listOf(file)}:delayed`]: delayed, ...others } = await dumped(server.client);
  expect(others).toEqual({});
  expect(delayed).toMatchObject({ type: 'zset', items: [{ member }] });
  await server.advance(60_000);
  const client = server.client.duplicate();
  const job = await new ThinkQueue3(client, json, { queue: 'golden' }).pop();
  expect([job?.rawBody, job?.attempts()]).toEqual([member, 1]);
  await job?.delete();
  client.disconnect();
  expect(await server.keys()).toEqual([]);
});

test.each(objects)(
  '%s, %s: when patience ends it is kept with its bytes, and goes back when retried',
  async (file, name, shown) => {
    const [shared, member] = [sharedWith(file), recorded(file, name)];
    await server.client.rpush(listOf(file), member);
    await work(shared, 0);
    expect(await shared.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    const failed = await shared.failed.list();
    expect(failed).toMatchObject([{ reason: 'unknown-job', name: shown, payload: member }]);
    expect(failed[0]?.message).toBe(`${shown} is an object of PHP: only a worker of PHP can run it`);
    await shared.failed.retry(failed);
    expect(await shared.list()).toMatchObject([{ name: shown, state: 'ready', attempts: 0 }]);
  },
);

import { describe, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { type Connector, createQueue, defineJob } from '../../src/index.js';
import { context, redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

/** A member as PHP's think-queue 3.0.9 pushed it, recorded. */
const pushedByPhp =
  '{"job":"app\\\\job\\\\Demo","maxTries":null,"timeout":null,"data":{"name":"\\u4e2d\\u6587\\/emoji \\ud83d\\ude00 \\"quoted\\" \\\\ back","n":1,"f":1.5,"z":1,"big":9223372036854775807,"empty_arr":[],"empty_obj":{},"nil":null,"t":true,"list":[1,2],"html":"<a href=\'x\'>&<\\/a>","ls":"\\u2028\\u2029\u007f\\u0001"},"id":"kdbPeyxZCicpgAsolRgCXYBfiNcZtnhZ","attempts":0}';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

const list = '{queues:q}';
const members = () => server.client.lrange(list, 0, -1);
const reserved = () => server.client.zrange(`${list}:reserved`, '0', '-1');
const delayed = () => server.client.zrange(`${list}:delayed`, '0', '-1');

function body(id: string, attempts = 0): string {
  return `{"job":"mail","maxTries":null,"timeout":null,"data":{"a":[],"b":{}},"id":"${id}","attempts":${attempts}}`;
}

describe('the bytes of a member', () => {
  test('a push through the queue is think-queue JSON, and leaves nothing beside the list', async () => {
    const mail = defineJob({ name: 'mail', handle: () => {} });
    const now = 1_700_000_000_000;
    const queue = createQueue({
      connections: { main: redis({ url: server.url, queue: 'q' }) },
      jobs: [mail],
      clock: { now: () => now },
    });
    const id = await queue.push(mail, { to: 'Ada' });
    expect(await members()).toEqual([
      `{"job":"mail","maxTries":null,"timeout":null,"data":{"to":"Ada"},"dueAt":${now},"id":"${id}","attempts":0}`,
    ]);
    expect(await server.client.keys('*')).toEqual([list]);
    await queue.push(mail, null, { id: 'mine', delay: '1m' });
    expect((await server.client.keys('*')).sort()).toEqual([list, `${list}:delayed`, `${list}:ids`]);
    expect(await server.client.smembers(`${list}:ids`)).toEqual(['mine']);
    await queue.close();
  });

  test('a reserve puts the lease before attempts and changes no other byte', async () => {
    await server.client.rpush(list, pushedByPhp);
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject({ id: 'kdbPeyxZCicpgAsolRgCXYBfiNcZtnhZ', attempts: 1, body: pushedByPhp });
    const token = job?.lease.token;
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect(await reserved()).toEqual([
      pushedByPhp.replace('"attempts":0}', `"lease":"${token}","attempts":1}`),
    ]);
    expect(await server.client.keys('*')).toEqual([`${list}:reserved`]);
  });

  test('blanks round the number stay', async () => {
    const odd = '{ "job": "mail", "id" : "a", "attempts"  : 4 }\n';
    await server.client.rpush(list, odd);
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject({ id: 'a', attempts: 5 });
    if (job) await connector.release([{ lease: job.lease, delayMs: 60_000 }]);
    expect(await delayed()).toEqual(['{ "job": "mail", "id" : "a", "attempts"  : 5 }\n']);
  });

  test('release and unreserve take the lease out; attempts tell them apart', async () => {
    await connector.push('q', [{ id: 'a', body: body('a') }]);
    const [first] = await connector.reserve(['q'], 1, 60_000);
    if (first) await connector.release([{ lease: first.lease, delayMs: 0 }]);
    expect(await members()).toEqual([body('a', 1)]);
    const [second] = await connector.reserve(['q'], 1, 60_000);
    expect(second).toMatchObject({ attempts: 2, body: body('a') });
    if (second) await connector.unreserve?.([second.lease]);
    expect(await members()).toEqual([body('a', 1)]);
  });

  test('a lapsed member goes back without its lease, with the attempt spent', async () => {
    await connector.push('q', [
      { id: 'a', body: body('a') },
      { id: 'b', body: body('b') },
    ]);
    await connector.reserve(['q'], 2, 60_000);
    await server.advance(70_000);
    await connector.reserve(['q'], 1, 60_000);
    expect(await members()).toEqual([body('b', 1)]);
  });

  test('a member that PHP took over from us carries the old lease along; the next reserve replaces it', async () => {
    const old = `"lease":"${'0'.repeat(32)}"`;
    await server.client.rpush(list, body('a').replace('"attempts":0}', `${old},"attempts":2}`));
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject({ attempts: 3, body: body('a') });
    expect((await reserved())[0]).not.toContain(old);
  });

  test('a field named lease of somebody else stays', async () => {
    const theirs = '{"job":"mail","id":"a","lease":"mine","attempts":0}';
    await server.client.rpush(list, theirs);
    const [job] = await connector.reserve(['q'], 1, 60_000);
    expect(job).toMatchObject({ id: 'a', attempts: 1, body: theirs });
  });
});

describe('order', () => {
  test('20,000 delayed jobs that fall due at once come in push order', async () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `job-${index}`);
    const availableAtMs = Date.now() + 3_600_000;
    for (let from = 0; from < ids.length; from += 1000) {
      const batch = ids.slice(from, from + 1000).map((id) => ({ id, body: body(id), availableAtMs }));
      await connector.push('q', batch);
    }
    await server.advance(7_200_000);
    const came: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      came.push(...(await connector.reserve(['q'], 1000, 60_000)).map(({ id }) => id));
    }
    expect(came).toEqual(ids);
  });
});

describe('what is held apart', () => {
  test('ids of callers only, and the marks go with their jobs', async () => {
    const unique = { id: 'u', body: body('u'), unique: true };
    const generated = { id: 'g', body: body('g') };
    expect(await connector.push('q', [unique, generated])).toEqual(['stored', 'stored']);
    expect(await connector.push('q', [unique, generated])).toEqual(['already-there', 'stored']);
    const held = await connector.reserve(['q'], 10, 60_000);
    expect(await connector.delete(held.map(({ lease }) => lease))).toEqual([true, true, true]);
    expect(await server.client.keys('*')).toEqual([]);
  });

  test('clear frees the ids of what it takes, and keeps those of what is reserved', async () => {
    const jobs = ['a', 'b', 'c'].map((id) => ({ id, body: body(id), unique: true }));
    await connector.push('q', [...jobs, { id: 'odd', body: 'odd', unique: true }]);
    await connector.reserve(['q'], 1, 60_000);
    await connector.clear('q');
    expect(await server.client.smembers(`${list}:ids`)).toEqual(['a']);
    await connector.clear('q', { reserved: true });
    expect(await server.client.keys('*')).toEqual([]);
  });
});

describe('connections', () => {
  test('prefix, name and unix socket', async () => {
    const driver = redis({ url: server.socket, prefix: 'app:', connectionName: 'mailer' });
    const other = driver.connect(context);
    await other.push('q', [{ id: 'a', body: body('a') }]);
    await other.signals?.write('think:queue:restart', '1');
    expect((await server.client.keys('*')).sort()).toEqual(['app:think:queue:restart', 'app:{queues:q}']);
    expect(await server.client.client('LIST')).toContain('name=mailer');
    await other.close();
  });

  test('a ready client stays open, and keeps its own key prefix', async () => {
    const own = server.client.duplicate({ keyPrefix: 'own:', lazyConnect: true });
    const other = redis({ client: own }).connect(context);
    await other.push('q', [{ id: 'a', body: body('a') }]);
    expect(await server.client.keys('*')).toEqual(['own:{queues:q}']);
    await other.close();
    expect(await own.ping()).toBe('PONG');
    own.disconnect();
  });
});

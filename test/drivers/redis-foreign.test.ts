import { describe, expect, test } from 'vitest';
import type { Connector, ReservedJob } from '../../src/index.js';
import { redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

const list = '{queues:q}';

let server: RedisServer;
let connector: Connector;
redisPerTest((ofTest, open) => {
  [server, connector] = [ofTest, open];
});

async function reserveOne(): Promise<ReservedJob> {
  const [job] = await connector.reserve(['q'], 1, 60_000);
  if (job === undefined) throw new Error('nothing was due');
  return job;
}

const megabyte = 'x'.repeat(1024 * 1024);

const foreign: Readonly<
  Record<string, { readonly text: string; readonly id?: string; readonly attempts?: number }>
> = {
  'another order of keys': { text: '{"attempts":2,"id":"a","job":"mail","data":[]}', id: 'a', attempts: 3 },
  'pretty print': { text: '{\n    "id": "a",\n    "attempts": 0,\n    "job": "mail"\n}', id: 'a' },
  'an id that is a number': { text: '{"job":"mail","attempts":0,"id":7}', id: '7' },
  'no attempts': { text: '{"job":"mail","id":"a"}' },
  'attempts that are no count': { text: '{"job":"mail","id":"a","attempts":"0"}' },
  'attempts with a leading zero': { text: '{"job":"mail","id":"a","attempts":07}' },
  'attempts beyond what can be counted': {
    text: '{"job":"mail","id":"a","attempts":9999999999}',
    id: 'a',
    attempts: 10_000_000_000,
  },
  'attempts of something inside': { text: '{"job":"mail","id":"a","data":{"attempts":5}}' },
  'invalid JSON': { text: '{"job":"mail","data":[1,2' },
  'no JSON at all': { text: 'hello' },
  nothing: { text: '' },
  'a list': { text: '[1,2,3]' },
  'integers beyond 2^53': { text: '{"attempts":0,"data":[9007199254740993,1e400,-0.0],"id":"a"}', id: 'a' },
  'a megabyte': { text: `{"attempts":0,"id":"a","data":"${megabyte}"}`, id: 'a' },
  'a megabyte of our own words': { text: '"attempts":1'.repeat(90_000) },
};

describe('a member that the scripts do not understand', () => {
  test.each(Object.entries(foreign))(
    '%s: is handed out as it is, again and again, and can be deleted',
    async (_, one) => {
      await server.client.rpush(list, one.text);
      const first = await reserveOne();
      const attempts = one.attempts ?? 1;
      expect([first.body === one.text, first.attempts]).toEqual([true, attempts]);
      if (one.id !== undefined) expect(first.id).toBe(one.id);
      expect(await connector.extend([first.lease], 60_000)).toEqual([true]);
      await server.advance(70_000);
      const second = await reserveOne();
      expect([second.id, second.body === one.text, second.attempts]).toEqual([first.id, true, attempts + 1]);
      expect(await connector.delete([first.lease])).toEqual([false]);
      expect(await connector.release([{ lease: second.lease, delayMs: 0 }])).toEqual([true]);
      const third = await reserveOne();
      expect([third.id, third.body === one.text, third.attempts]).toEqual([first.id, true, attempts + 2]);
      await connector.unreserve?.([third.lease]);
      const fourth = await reserveOne();
      expect(fourth.attempts).toBe(attempts + 2);
      expect(await connector.delete([fourth.lease])).toEqual([true]);
      expect(await server.client.keys('*')).toEqual([]);
    },
  );

  test('holds up none of its neighbours', async () => {
    const good = '{"job":"mail","id":"good","attempts":0}';
    await server.client.rpush(list, 'bad', good, '{', good.replace('good', 'better'));
    const jobs = await connector.reserve(['q'], 10, 60_000);
    expect(jobs.map(({ body }) => body)).toEqual(['bad', good, '{', good.replace('good', 'better')]);
  });

  test('bytes that are no text are kept as they are', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"data":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('","id":"a","attempts":0}'),
    ]);
    await server.client.rpush(list, bytes);
    const job = await reserveOne();
    expect(await connector.release([{ lease: job.lease, delayMs: 0 }])).toEqual([true]);
    const kept = await server.client.lindexBuffer(list, 0);
    expect(kept?.toString('hex')).toBe(
      bytes.toString('hex').replace(Buffer.from('0}').toString('hex'), Buffer.from('1}').toString('hex')),
    );
    expect(await connector.delete([(await reserveOne()).lease])).toEqual([true]);
  });
});

describe.each([
  ['think-queue members', '{"job":"mail","id":"a","attempts":0}'],
  ['foreign members', 'hello'],
])('two equal %s', (_, text) => {
  test('stay two through a release, a lapse and a delete', async () => {
    await server.client.rpush(list, text, text);
    const held = await connector.reserve(['q'], 10, 60_000);
    expect(held.length).toBe(2);
    const releases = held.map(({ lease }) => ({ lease, delayMs: 20_000 }));
    expect(await connector.release(releases)).toEqual([true, true]);
    expect(await connector.size('q')).toEqual({ ready: 0, delayed: 2, reserved: 0 });
    await server.advance(30_000);
    expect((await connector.reserve(['q'], 10, 60_000)).map(({ attempts }) => attempts)).toEqual([2, 2]);
    await server.advance(70_000);
    const again = await connector.reserve(['q'], 10, 60_000);
    expect(again.map(({ attempts, body }) => [attempts, body])).toEqual([
      [3, text],
      [3, text],
    ]);
    expect(await connector.delete(again.slice(1).map(({ lease }) => lease))).toEqual([true]);
    expect(await connector.size('q')).toEqual({ ready: 0, delayed: 0, reserved: 1 });
  });
});

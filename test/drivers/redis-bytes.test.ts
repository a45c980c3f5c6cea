import { expect, test } from 'vitest';
import type { Connector, FailedJob, ReservedJob } from '../../src/index.js';
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

function failureOf({ id, body, attempts }: ReservedJob): FailedJob {
  return {
    uuid: '00000000-0000-4000-8000-000000000000',
    jobId: id,
    connection: 'redis',
    queue: 'q',
    name: 'mail',
    payload: body,
    errorClass: 'Error',
    message: 'no',
    stack: '',
    causes: [],
    attempts,
    reason: 'max-tries',
    host: 'here',
    pid: 1,
    failedAtMs: 1_750_000_000_000,
  };
}

const odd: Readonly<Record<string, string>> = {
  'empty lists and objects': '[[],{},[{}],{"a":{},"b":[]}]',
  'integers beyond 2^53':
    '[9007199254740993,9223372036854775807,-9223372036854775808,123456789012345678901234567890]',
  'long floats': '[0.1000000000000000055511151231257827,1.0,-0.0,1e22,1E-7,1e400,3.14159265358979323846]',
  'duplicate keys': '{"a":1,"b":2,"a":3,"attempts":7,"attempts":8}',
  'integer-like keys': '{"b":1,"10":2,"9":3,"0":4}',
  escapes: String.raw`"\/ \" \\ \b\f\n\r\t \u0041 \u00e9 é \ud83d\ude00 😀 \u2028"`,
  'lone surrogates': String.raw`["\ud800","\udc00x","\ud83d\ud83d"]`,
  NULs: String.raw`{"\u0000*\u0000secret":"s:9:\"\u0000\u0000\"","after":"\u0000"}`,
  'what looks like our fields':
    '{"lease":"00000000000000000000000000000000","attempts":5,"drover":"ab","id":"other"}',
  'patterns of Lua': '"%d %1 %% ^$ ().[]*+-?"',
  blanks: '[ 1 ,\t2 ,\n3 ]',
  'a megabyte': `"${'é'.repeat(512 * 1024)}"`,
};

const members = {
  'in think-queue’s form': (data: string) =>
    `{"job":"mail","maxTries":null,"data":${data},"id":"a","attempts":0}`,
  'in another form': (data: string) => `{ "id":"a", "attempts" : 0, "data":${data},"job":"mail"}`,
};

const both = Object.entries(members).flatMap(([form, memberWith]) =>
  Object.entries(odd).map(([what, data]) => ({ what, form, text: memberWith(data) })),
);

test.each(both)('$what $form stay the same from reserve to retry', async ({ text }) => {
  await server.client.rpush(list, text);
  // Compared as one boolean: a megabyte in a report helps nobody.
  const handedOut = async (attempts: number) => {
    const job = await reserveOne();
    expect([job.id, job.attempts, job.body === text]).toEqual(['a', attempts, true]);
    const handle = job.isFoundByToken ? job.lease.token : job.lease.handle;
    const [read] =
      (await connector.bodiesOf?.([{ ...job, body: '', lease: { ...job.lease, handle } }])) ?? [];
    expect(read === text).toBe(true);
    return job;
  };
  const first = await handedOut(1);
  expect(await connector.release([{ lease: first.lease, delayMs: 0 }])).toEqual([true]);
  const second = await handedOut(2);
  const record = failureOf(second);
  expect(await connector.fail?.([{ lease: second.lease, record }])).toEqual([true]);
  const [kept] = (await connector.failedJobs?.list()) ?? [];
  expect(kept?.payload === text).toBe(true);
  expect(await connector.failedJobs?.retry?.([record.uuid])).toEqual(['retried']);
  const again = await handedOut(1);
  await server.advance(70_000);
  expect(await connector.delete([(await handedOut(2)).lease, again.lease])).toEqual([true, false]);
  expect(await server.client.keys('*')).toEqual([]);
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob, type FailedJob, type Queue, silentLogger } from '../../src/index.js';
import { CliProject } from '../support/cli.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

const list = '{queues:default}';
const good = (id: string) => `{"job":"mail","data":"${id}","id":"${id}","attempts":0}`;

let server: RedisServer;
let queue: Queue;
let ran: unknown[];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await server.client.flushall();
  ran = [];
  const mail = defineJob({ name: 'mail', handle: ({ data, job }) => ran.push([data, job.attempts()]) });
  queue = createQueue({ connections: { default: redis(server.url) }, jobs: [mail] });
});
afterEach(() => queue.close());

/** Works all that is there, and answers the records by payload. */
async function work(): Promise<FailedJob[]> {
  expect(await queue.worker({ stopWhenEmpty: true, tries: 0 }).run()).toBe('empty');
  const records = await queue.failed.list();
  return records.sort((a, b) => (a.payload < b.payload ? -1 : 1));
}

const isWanted = 'its producer must write how often it was delivered before, 0 for a new job';

test.each([
  ['missing', '{"job":"mail","id":"a"}', 'is missing'],
  ['only inside data', '{"job":"mail","data":{"attempts":0}}', 'is missing'],
  ['in another case', '{"job":"mail","Attempts":0}', 'is missing'],
  ['a text', '{"job":"mail","id":"a","attempts":"0"}', 'is "0", which is no whole number from 0 up'],
  ['null', '{"job":"mail","attempts":null}', 'is null, which is no whole number from 0 up'],
  ['negative', '{"job":"mail","attempts":-1}', 'is -1, which is no whole number from 0 up'],
  ['a fraction', '{"job":"mail","attempts":0.5}', 'is 0.5, which is no whole number from 0 up'],
  ['endless', '{"job":"mail","attempts":1e400}', 'is Infinity, which is no whole number from 0 up'],
  [
    'beyond what can be counted',
    '{"job":"mail","attempts":9007199254740993}',
    'is 9007199254740992, which is no whole number from 0 up',
  ],
  ['a list', '{"job":"mail","attempts":[0]}', 'is [0], which is no whole number from 0 up'],
  [
    'unusable, after a usable one',
    '{"job":"mail","attempts":0,"attempts":true}',
    'is true, which is no whole number from 0 up',
  ],
])('attempts %s: failed raw with the reason, its neighbours run', async (_, text, what) => {
  await server.client.rpush(list, good('before'), text, text, good('after'));
  const records = await work();
  expect(ran).toEqual([
    ['before', 1],
    ['after', 1],
  ]);
  expect(records.map(({ payload }) => payload)).toEqual([text, text]);
  for (const record of records) {
    expect(record).toMatchObject({ reason: 'bad-payload', name: null, attempts: 1 });
    expect(record.message).toBe(`attempts in the payload ${what}: ${isWanted}`);
  }
});

test.each([
  ['in another place', '{"attempts":0,"job":"mail","data":1,"id":"a"}', 1],
  ['after others', '{"attempts":4,"id":"a","job":"mail","data":1}', 5],
  ['in a pretty print', '{\n    "job": "mail",\n    "data": 1,\n    "attempts": 1,\n    "id": "a"\n}\n', 2],
  ['as 2.0', '{"attempts":2.0,"job":"mail","data":1}', 3],
  ['as -0', '{"job":"mail","data":1,"attempts":-0}', 1],
  ['twice, the last one usable', '{"attempts":"x","job":"mail","data":1,"attempts":3}', 4],
])('attempts %s: runs', async (_, text, attempts) => {
  await server.client.rpush(list, text);
  expect(await work()).toEqual([]);
  expect(ran).toEqual([[1, attempts]]);
  expect(await server.keys()).toEqual([]);
});

test.each([
  ['no JSON', 'not json'],
  ['nothing', ''],
  ['a zero', '0'],
  ['a list', '[{"attempts":0}]'],
  ['null', 'null'],
  ['cut off', '{"job":"mail","data":[1,2'],
  ['no JSON, but for its end', '{"job":mail,"id":"a","attempts":3}'],
  ['no job', '{"data":1,"id":"a","attempts":7}'],
])('a payload that is %s: failed raw, byte for byte', async (_, text) => {
  await server.client.rpush(list, good('before'), text, good('after'));
  const records = await work();
  expect(ran.length).toBe(2);
  expect(records.map(({ payload, reason }) => [payload, reason])).toEqual([[text, 'bad-payload']]);
});

const noText = (tail: string) =>
  Buffer.concat([Buffer.from('{"job":"mail","data":"'), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from(tail)]);

test.each([
  ['of think-queue', noText('","id":"a","attempts":0}')],
  ['of think-queue, delivered before', noText('","id":"a","attempts":2}')],
  ['of another form', noText('","attempts":0,"id":"a"}')],
])('bytes that are no text, %s: kept as a data URL, and as bytes by a retry', async (_, bytes) => {
  await server.client.rpush(list, bytes, good('between'), bytes);
  const records = await work();
  const shown = `data:application/octet-stream;base64,${bytes.toString('base64')}`;
  expect(ran).toEqual([['between', 1]]);
  expect(records.map(({ payload }) => payload)).toEqual([shown, shown]);
  expect(records[0]).toMatchObject({ reason: 'bad-payload' });
  expect(records[0]?.message).toContain('not UTF-8');

  await queue.failed.retry(records);
  const bodies = await server.client.hvalsBuffer(`${list}:bodies`);
  expect(bodies.map((body) => body.equals(bytes))).toEqual([true, true]);
  expect((await work()).map(({ payload }) => payload)).toEqual([shown, shown]);
});

test('a retry runs a job without attempts: they are counted beside it from then on', async () => {
  await server.client.rpush(list, '{"job":"mail","data":1}');
  await queue.failed.retry(await work());
  expect(await work()).toEqual([]);
  expect(ran).toEqual([[1, 1]]);
  expect(await server.keys()).toEqual([]);
});

test('queue:failed tells the reason and shows what stood there', async () => {
  const text = '{"job":"mail","data":1}';
  await server.client.rpush(list, text);
  const project = new CliProject({
    'drover.config.json': JSON.stringify({
      connections: { main: { driver: 'redis', url: server.url } },
      jobs: './jobs/*.mjs',
    }),
    'jobs/mail.mjs':
      "import { defineJob } from 'drover';\nexport default defineJob({ name: 'mail', handle() {} });",
  });
  const worked = await project.must('work', '--stop-when-empty', '--json');
  expect(worked.lines).toContainEqual(
    expect.objectContaining({ event: 'job:failed', reason: 'bad-payload' }),
  );
  const { lines } = await project.must('queue:failed', '--json');
  expect(lines).toEqual([
    expect.objectContaining({
      payload: text,
      reason: 'bad-payload',
      error: expect.objectContaining({ message: expect.stringContaining(isWanted) }),
    }),
  ]);
  const { stdout } = await project.must('queue:failed');
  expect(stdout).toContain('attempts in the payl');
  await project.remove();
});

test('a large reserve keeps the order, and takes along what nobody can patch', async () => {
  const context = { connection: 'redis', clock: Date, logger: silentLogger, runInline: async () => {} };
  const connector = redis(server.url).connect(context);
  const all = Array.from({ length: 1200 }, (_, at) => (at % 7 === 0 ? `no JSON ${at}` : good(`id-${at}`)));
  await server.client.rpush(list, ...all);
  const jobs = await connector.reserve(['default'], 1100, 60_000);
  expect(jobs.map(({ body }) => body)).toEqual(all.slice(0, 1100));
  expect(await connector.size('default')).toEqual({ ready: 100, delayed: 0, reserved: 1100 });
  const held = await connector.delete(jobs.map(({ lease }) => lease));
  expect(held).toEqual(jobs.map(() => true));
  expect(await server.client.hlen(`${list}:bodies`)).toBe(0);
  expect(await server.client.lrange(list, 0, -1)).toEqual(all.slice(1100));
  await connector.close();
});

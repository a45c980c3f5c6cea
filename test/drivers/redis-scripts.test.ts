import { afterAll, beforeAll, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import { failedRecord, offered } from '../conformance/steps.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

async function scriptsKnown(): Promise<number> {
  return Number(/number_of_cached_scripts:(\d+)/.exec(await server.client.info('memory'))?.[1]);
}

/** Texts that would end a string of Lua, or a command of the protocol, if they were part of one. */
const hostile = [
  `"]] redis.call('FLUSHALL') --`,
  `' .. redis.call('FLUSHALL') .. '`,
  '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
  '\\"); redis.call("FLUSHALL"); (',
  'KEYS[1] {1} %s %1 \0 {a}:b',
];

test('whatever is pushed, the scripts are the same: data goes beside them', async () => {
  const context = {
    connection: 'redis',
    clock: systemClock,
    logger: silentLogger,
    runInline: async () => {},
  };
  const connector = offered(redis(server.url).connect(context));
  /** All that is done to jobs, with a text in the place of each that comes from outside. */
  const useAll = async (queue: string, text: string): Promise<string[]> => {
    const body = JSON.stringify({ job: text, data: text, id: '1', attempts: 0 });
    await connector.push(queue, [
      { id: '1', body },
      { id: text, body: text },
      { id: '3', body, delayMs: 60_000 },
    ]);
    const seen = (await connector.peek(queue, { state: 'ready', limit: 10 })).length;
    const [first, second] = await connector.reserve([queue], 10, 60_000);
    if (!first || !second) return expect.unreachable(`two jobs are due, ${seen} were seen`);
    await connector.extend([first.lease, second.lease], 60_000);
    await connector.release([{ lease: second.lease, delayMs: 0 }]);
    const record = failedRecord(first, { name: text, message: text, stack: text });
    await connector.fail([{ lease: first.lease, record }]);
    const [failed] = await connector.failedJobs.find([record.uuid]);
    await connector.failedJobs.retry([record.uuid]);
    const [again, retried] = await connector.reserve([queue], 10, 60_000);
    await connector.delete([again, retried].flatMap((one) => (one ? [one.lease] : [])));
    await connector.signals.write(`signal:${text}`, text);
    expect(await connector.signals.read(`signal:${text}`)).toBe(text);
    expect(await connector.clear(queue)).toMatchObject({ delayed: 1 });
    return [first.body, second.body, failed?.message ?? ''];
  };
  await useAll('plain', 'plain');
  await server.client.set('somebody', 'else');
  const known = await scriptsKnown();
  for (const [index, text] of hostile.entries()) {
    const body = JSON.stringify({ job: text, data: text, id: '1', attempts: 0 });
    expect(await useAll(`hostile-${index}`, text)).toEqual([body, text, text]);
  }
  expect(await scriptsKnown()).toBe(known);
  expect(await server.client.get('somebody')).toBe('else');
  await connector.close();
});

import { Command, Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { forgetful } from '../../drivers/redis/forgetful.js';
import type { Connector } from '../../src/index.js';
import { redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
let connector: Connector;
redisPerTest(async (ofTest, open) => {
  [server, connector] = [ofTest, open];
});

const { sendCommand } = Redis.prototype;
afterEach(() => {
  Redis.prototype.sendCommand = sendCommand;
});

const many = Array.from({ length: 20 }, (_, index) => `member ${index}`);

test('a long command lets go of what it said once it is answered, and not before', async () => {
  const client = new (forgetful(Redis))(server.url);
  try {
    const command = new Command('rpush', ['list', ...many]);
    const answer = client.sendCommand(command);
    expect(command.args).toEqual(['list', ...many]);
    expect(await answer).toBe(20);
    expect(command.args).toEqual([]);
  } finally {
    client.disconnect();
  }
});

test('a short command, and one that was refused, keep what they said', async () => {
  const client = new (forgetful(Redis))(server.url);
  try {
    const short = new Command('set', ['text', 'x']);
    await client.sendCommand(short);
    expect(short.args).toEqual(['text', 'x']);
    const refused = new Command('rpush', ['text', ...many]);
    await expect(client.sendCommand(refused)).rejects.toThrow('WRONGTYPE');
    expect(refused.args).toEqual(['text', ...many]);
  } finally {
    client.disconnect();
  }
});

test('a trip leaves neither the jobs that it deleted nor those that it brought with its command', async () => {
  await connector.push(
    'q',
    Array.from({ length: 60 }, (_, at) => ({
      id: `${at}`,
      body: `{"job":"a","data":1,"id":"${at}","attempts":0}`,
    })),
  );
  const first = await connector.reserve(['q'], 20, 60_000);
  const leases = first.map(({ lease }) => lease);
  const commands: Command[] = [];
  Redis.prototype.sendCommand = function (this: Redis, ...sent) {
    commands.push(sent[0]);
    return sendCommand.apply(this, sent);
  };

  const trip =
    connector.deleteAndReserve?.(leases, ['q'], 20, 60_000) ?? expect.unreachable('it has the verb');
  expect((await trip).jobs).toHaveLength(20);

  const evals = commands.filter(({ name }) => name === 'evalsha' || name === 'eval');
  const last = evals.at(-1) ?? expect.unreachable('it is a script');
  expect(last.args).toEqual([]);
  expect(await last.promise).toEqual([]);
});

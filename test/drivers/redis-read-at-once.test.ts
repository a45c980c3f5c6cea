import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { openBeside } from '../../drivers/redis/client.js';
import { redisPerTest } from '../support/redis-per-test.js';
import type { RedisServer } from '../support/redis-server.js';

let server: RedisServer;
redisPerTest(async (ofTest) => {
  server = ofTest;
});

const open: Redis[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.disconnect();
});

function opened(client: Redis): Redis {
  open.push(client);
  return client;
}

/** Whether an answer reaches the client's parser as it comes in, not a tick later. */
async function readsAtOnce(client: Redis): Promise<boolean> {
  await client.ping();
  const { stream } = client;
  const { push } = stream;
  let isComing = false;
  let isAtOnce = false;
  stream.push = (...chunk) => {
    isComing = true;
    const answer = push.apply(stream, chunk);
    isComing = false;
    return answer;
  };
  stream.prependListener('data', () => {
    isAtOnce = isComing;
  });
  await client.ping();
  return isAtOnce;
}

test('what comes in is read in the same tick, also after a reconnect', async () => {
  const client = opened(openBeside(opened(new Redis(server.url))).redis as Redis);
  await client.connect();
  expect(await readsAtOnce(client)).toBe(true);
  client.disconnect(true);
  await new Promise((resolve) => client.once('ready', resolve));
  expect(await readsAtOnce(client)).toBe(true);
});

test('ioredis by itself reads it a tick later: once that has changed, what is done about it can go', async () => {
  expect(await readsAtOnce(opened(new Redis(server.url)))).toBe(false);
});

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { RedisConnectors } from '../support/redis-connectors.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
const connectors = new RedisConnectors();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterEach(() => connectors.close());
afterAll(() => server?.stop());

const body = (id: string, data: string) => `{"job":"a","data":${data},"id":"${id}","attempts":0}`;
const idOf = (index: number) => `job-${String(index).padStart(5, '0')}`;

/** Pushes the bodies in one call, and answers the list as it is then. */
async function listed(bodies: readonly string[]): Promise<string[]> {
  const jobs = bodies.map((text, index) => ({ id: idOf(index), body: text }));
  const outcomes = await connectors.connect(server.url).push('q', jobs);
  expect(outcomes).toEqual(bodies.map(() => 'stored'));
  return await server.client.lrange('{queues:q}', 0, -1);
}

test('many jobs of a call are stored as they are, in their order', async () => {
  const bodies = Array.from({ length: 2500 }, (_, index) =>
    body(idOf(index), `"${'ä'.repeat(index % 100)}"`),
  );
  expect(await listed(bodies)).toEqual(bodies);
});

test('a job larger than what goes together stands between others', async () => {
  const sizes = [10, 150_000, 0, 99_000, 99_000, 5];
  const bodies = sizes.map((size, index) => body(idOf(index), `"${'x'.repeat(size)}"`));
  expect(await listed(bodies)).toEqual(bodies);
});

test('a line feed in the JSON of one parts nothing', async () => {
  const bodies = ['1', '{\n"a":\n2}', '3'].map((data, index) => body(idOf(index), data));
  expect(await listed(bodies)).toEqual(bodies);
});

test('a job pushed alone is stored as it is', async () => {
  expect(await listed([body(idOf(0), '{\n"a":\n2}')])).toEqual([body(idOf(0), '{\n"a":\n2}')]);
});

test('a large job pushed alone is stored as it is', async () => {
  const large = body(idOf(0), `"${'ä'.repeat(20_000)}"`);
  expect(await listed([large])).toEqual([large]);
});

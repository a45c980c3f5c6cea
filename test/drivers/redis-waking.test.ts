import { once, setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redis } from '../../drivers/redis/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { within } from '../support/deferred.js';
import { RedisConnectors } from '../support/redis-connectors.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let server: RedisServer;
const connectors = new RedisConnectors();
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterEach(() => connectors.close());
afterAll(() => server?.stop());

const connect = () => connectors.connect(server.url);

const job = (id: string, more = {}) => ({
  id,
  body: `{"job":"a","data":1,"id":"${id}","attempts":0}`,
  ...more,
});

/** How many clients block in a command. */
async function blockedIn(command: string): Promise<number> {
  const list = String(await server.client.client('LIST'));
  return list.split('\n').filter((line) => line.includes(` cmd=${command} `) && / flags=\w*b/.test(line))
    .length;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(5);
}

/**
 * Waits `rounds` times for what `act` brings. Without being woken each wait lasts a second, until the next look, so
 * that all of them together tell waking from looking on any machine.
 */
async function wakesEachTime(
  queues: readonly string[],
  act: (round: number) => Promise<unknown>,
): Promise<void> {
  const connector = connect();
  const rounds = 12;
  let wokenMs = 0;
  for (let round = 0; round < rounds; round++) {
    const waiting = connector.waitForJob(queues, 60_000, signal);
    await until(async () => (await blockedIn('blmove')) === queues.length);
    const fromMs = performance.now();
    await act(round);
    await waiting;
    let jobs = await connector.reserve(queues, 10, 60_000);
    while (jobs.length === 0) {
      await connector.waitForJob(queues, 60_000, signal);
      jobs = await connector.reserve(queues, 10, 60_000);
    }
    wokenMs += performance.now() - fromMs;
    await connector.delete(jobs.map(({ lease }) => lease));
    while ((await connector.reserve(queues, 10, 60_000)).length > 0);
  }
  expect(wokenMs).toBeLessThan((rounds * 1000) / 2);
}

test('a plain RPUSH by another program wakes who waits', async () => {
  await wakesEachTime(['q'], (round) => server.client.rpush('{queues:q}', job(`php${round}`).body));
});

test('a push wakes who waits for several queues', async () => {
  const producer = connect();
  await wakesEachTime(['high', 'low'], (round) =>
    producer.push(round % 2 ? 'low' : 'high', [job(`j${round}`)]),
  );
});

test('a delay that another process has just set wakes who waits when it is over', async () => {
  const producer = connect();
  await wakesEachTime(['q'], (round) => producer.push('q', [job(`j${round}`, { delayMs: 40 })]));
});

test('of many that wait one watches; a push wakes it, and when it is full another watches instead', async () => {
  const connectors = Array.from({ length: 16 }, () => connect());
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const taken: number[] = [];
  const works = connectors.map(async (connector, index) => {
    while (!stop.signal.aborted) {
      const [reserved] = await connector.reserve(['q'], 1, 60_000);
      if (!reserved) await connector.waitForJob(['q'], 60_000, stop.signal);
      else {
        taken.push(index);
        await once(stop.signal, 'abort'); // busy from now on
      }
    }
  });
  const settled = async (waiting: number): Promise<void> => {
    await until(async () => (await blockedIn('blpop')) >= waiting && (await blockedIn('blmove')) >= 1);
  };
  await settled(16);
  expect(await blockedIn('blmove')).toBe(1);
  for (const round of [1, 2, 3]) {
    await server.client.rpush('{queues:q}', job(`j${round}`).body);
    await until(async () => taken.length === round);
    await until(async () => (await blockedIn('blmove')) === 1);
  }
  expect(new Set(taken).size).toBe(3);
  stop.abort();
  await Promise.all(works);
});

test('what a watcher gives back goes to another one that waits', async () => {
  const [busy, idle] = [connect(), connect()];
  const rounds = 8;
  let wokenMs = 0;
  for (let round = 0; round < rounds; round++) {
    await server.client.rpush('{queues:q}', job(`a${round}`).body, job(`b${round}`).body);
    const held = await busy.reserve(['q'], 100, 60_000);
    expect(await busy.reserve(['q'], 98, 60_000)).toEqual([]);
    const stop = new AbortController();
    const ended = busy.waitForJob(['q'], 60_000, stop.signal);
    await until(async () => (await blockedIn('blmove')) === 1);
    expect(await idle.reserve(['q'], 10, 60_000)).toEqual([]);
    const waiting = idle.waitForJob(['q'], 60_000, signal);
    await until(async () => (await blockedIn('blpop')) === 2);
    stop.abort();
    await ended;
    const fromMs = performance.now();
    await busy.unreserve?.(held.map(({ lease }) => lease));
    expect(await busy.size('q')).toMatchObject({ ready: 2, reserved: 0 });
    await waiting;
    let jobs = await idle.reserve(['q'], 10, 60_000);
    while (jobs.length === 0) {
      await idle.waitForJob(['q'], 60_000, signal);
      jobs = await idle.reserve(['q'], 10, 60_000);
    }
    wokenMs += performance.now() - fromMs;
    expect(jobs).toHaveLength(2);
    await server.client.flushall();
  }
  expect(wokenMs).toBeLessThan((rounds * 1000) / 2);
});

test('who waits takes over from a watcher that was killed', async () => {
  const connector = connect();
  const stop = new AbortController();
  await server.client.set('{queues:q}:watcher', 'ab'.repeat(8), 'PX', 1500);
  const waits = (async () => {
    while (!stop.signal.aborted) await connector.waitForJob(['q'], 60_000, stop.signal);
  })();
  await until(async () => (await blockedIn('blmove')) === 1);
  stop.abort();
  await waits;
});

test('a waiting connection that is cut is made anew', async () => {
  const connector = connect();
  const stop = new AbortController();
  const waits = (async () => {
    while (!stop.signal.aborted) await connector.waitForJob(['q'], 60_000, stop.signal);
  })();
  await until(async () => (await blockedIn('blmove')) === 1);
  const list = String(await server.client.client('LIST'));
  for (const [, id] of list.matchAll(/id=(\d+) .* cmd=(?:blmove|blpop) /g))
    await server.client.client('KILL', 'ID', String(id));
  await until(async () => (await blockedIn('blmove')) === 1 && (await blockedIn('blpop')) === 1);
  stop.abort();
  await waits;
});

test('close ends the waits and leaves nothing behind', async () => {
  const connector = connect();
  const waiting = connector.waitForJob(['q'], 60_000, signal);
  await until(async () => (await blockedIn('blmove')) === 1);
  await connector.close();
  await waiting;
  await until(async () => (await blockedIn('blmove')) + (await blockedIn('blpop')) === 0);
  expect(await server.client.keys('*:watcher')).toEqual([]);
  await expect(connector.waitForJob(['q'], 10, signal)).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
});

/** How many commands clients send in 4 s, in which a worker also says once or twice that it lives. */
async function sentIn4Seconds(): Promise<{ readonly count: number; readonly seconds: number }> {
  const monitor = await server.client.duplicate().monitor();
  const sent: string[] = [];
  monitor.on('monitor', (_: string, args: string[], source: string) => {
    if (source !== 'lua') sent.push(args[0] ?? '');
  });
  const fromMs = performance.now();
  await pause(4000);
  const seconds = (performance.now() - fromMs) / 1000;
  monitor.disconnect();
  const count = sent.filter((name) => !/^client$/i.test(name)).length;
  console.log(`${count} commands in ${seconds.toFixed(1)} s`);
  return { count, seconds };
}

test.each([
  { state: 'idle', isPaused: false },
  { state: 'paused', isPaused: true },
])(
  'a worker that is $state sends one command a second, with signals and heartbeat',
  async ({ state, isPaused }) => {
    const queue = createQueue({
      connections: { default: redis(server.url) },
      jobs: [defineJob({ name: 'a', async handle() {} })],
    });
    if (isPaused) await queue.pause();
    const running = queue.worker().run();
    const [listed] = await within(
      (async () => {
        let workers = await queue.workers();
        while (workers.length === 0) workers = await queue.workers();
        return workers;
      })(),
      'the first heartbeat',
    );
    expect(listed).toMatchObject({ state });
    if (!isPaused) await until(async () => (await blockedIn('blmove')) === 1);
    const { count, seconds } = await sentIn4Seconds();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    const [later] = await queue.workers();
    expect(later?.quietMs).toBeLessThan(seconds * 1000 + (listed?.quietMs ?? 0));
    await queue.restartWorkers();
    expect(await running).toBe('restart');
    expect((await server.keys()).sort()).toEqual(
      ['think:queue:restart', ...(isPaused ? ['{drover}:paused'] : [])].sort(),
    );
    await queue.close();
  },
);

test('beats of a worker outlive a full server, and a key of another type, without an error of the reserve', async () => {
  await server.client.set('{drover}:workers', 'not a hash');
  const connector = connect();
  connector.workers?.beatAlong?.({ id: 'a', about: 'x', keepMs: 60_000 });
  await connector.push('q', [job('first')]);
  expect(await connector.reserve(['q'], 1, 60_000)).toHaveLength(1);
  await expect(connector.workers?.beat({ id: 'a', about: 'x', keepMs: 60_000 })).rejects.toMatchObject({
    code: 'E_STORE_SCHEMA',
  });
  await server.client.del('{drover}:workers', '{drover}:workers:until');
  await connector.push('q', [job('second')]);
  await server.client.config('SET', 'maxmemory', '1');
  try {
    connector.workers?.beatAlong?.({ id: 'a', about: 'x', keepMs: 60_000 });
    const jobs = await connector.reserve(['q'], 1, 60_000);
    expect(await connector.delete(jobs.map(({ lease }) => lease))).toEqual([true]);
  } finally {
    await server.client.config('SET', 'maxmemory', '0');
  }
  await connector.workers?.beat({ id: 'a', about: 'x', keepMs: 60_000 });
  expect(await connector.workers?.list()).toMatchObject([{ id: 'a' }]);
});

test('dead workers leave nothing behind once another one lives', async () => {
  const connector = connect();
  for (let index = 0; index < 30; index++)
    await connector.workers?.beat({ id: `dead-${index}`, about: 'x', keepMs: 1000 });
  await server.advance(2000);
  await connector.workers?.beat({ id: 'lives', about: 'x', keepMs: 1000 });
  expect(await server.client.hkeys('{drover}:workers')).toEqual(['lives']);
  expect(await server.client.zrange('{drover}:workers:until', '0', '-1')).toEqual(['lives']);
});

test('on a full server who waits looks once a second, without an error loop, and drains', async () => {
  const connector = connect();
  await connector.push('q', [job('first')]);
  await server.client.config('SET', 'maxmemory', '1');
  try {
    const jobs = await connector.reserve(['q'], 1, 60_000);
    expect(await connector.delete(jobs.map(({ lease }) => lease))).toEqual([true]);
    await server.client.config('RESETSTAT');
    const fromMs = performance.now();
    for (let round = 0; round < 2; round++) await connector.waitForJob(['q'], 60_000, signal);
    const seconds = (performance.now() - fromMs) / 1000;
    const stats = await server.client.info('commandstats');
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    expect(calls).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    expect(stats).not.toContain('cmdstat_blmove:calls=1,');
  } finally {
    await server.client.config('SET', 'maxmemory', '0');
  }
});

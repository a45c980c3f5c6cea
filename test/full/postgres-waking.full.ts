import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../src/index.js';
import { startPostgres } from '../support/postgres-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const rounds = 9;
const roundMs = 700;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

let ids = 0;
async function pushFor(connector: Connector, ms: number, producers: number): Promise<number> {
  const endMs = performance.now() + ms;
  const startMs = performance.now();
  let pushed = 0;
  const produce = async (): Promise<void> => {
    while (performance.now() < endMs) {
      ids += 1;
      await connector.push('mail', [{ id: `job-${ids}`, body: '{}' }]);
      pushed += 1;
    }
  };
  await Promise.all(Array.from({ length: producers }, produce));
  return (pushed / (performance.now() - startMs)) * 1000;
}

/** With the disk, as servers are by default, and without, where the commit costs least and telling most. */
describe.each([true, false])('PostgreSQL, durable: %s', (isDurable) => {
  let server: DatabaseServer;
  let sandbox: ServerSandbox;
  beforeAll(async () => {
    server = await startPostgres({ isDurable });
    sandbox = await new ServerSandbox('postgres', server.url).make();
    await sandbox.open().migrate();
  });
  afterAll(async () => {
    await sandbox.clean();
    await server.stop();
  });

  /** A worker that takes and deletes what comes, and waits in between. */
  async function work(signal: AbortSignal): Promise<number> {
    const connector = sandbox.open();
    let waits = 0;
    while (!signal.aborted) {
      const jobs = await connector.reserve(['mail'], 50, 60_000);
      if (jobs.length > 0) await connector.delete(jobs.map(({ lease }) => lease));
      else {
        waits += 1;
        await connector.waitForJob?.(['mail'], 3000, signal);
      }
    }
    return waits;
  }

  test.each([
    ['one by one, 1 connection', 1, 1, false],
    ['one by one, 5 connections', 5, 5, false],
    ['100 in flight', 100, 5, false],
    ['one by one, 1 connection, beside a worker', 1, 1, true],
    ['one by one, 5 connections, beside a worker', 5, 5, true],
  ] as const)('pushes per second: %s', async (name, producers, max, withWorker) => {
    const open = (notify: boolean): Connector => {
      const { hostname: host, port, pathname } = new URL(sandbox.url);
      const connection = { host, port: Number(port), user: 'postgres', database: pathname.slice(1) };
      return sandbox.open({ knex: { client: 'pg', connection, pool: { min: 0, max } }, notify });
    };
    const [on, off] = [open(true), open(false)];
    const stop = new AbortController();
    const working = withWorker ? work(stop.signal) : Promise.resolve(0);
    const rates: Record<'on' | 'off', number[]> = { on: [], off: [] };
    await pushFor(on, roundMs, producers);
    await pushFor(off, roundMs, producers);
    for (let round = 0; round < rounds; round += 1) {
      for (const way of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        rates[way].push(await pushFor(way === 'on' ? on : off, roundMs, producers));
        if (!withWorker) await on.clear('mail');
      }
    }
    stop.abort();
    const waits = await working;
    const ratio = median(rates.on) / median(rates.off);
    console.log(
      `durable ${isDurable}, ${name}: on ${Math.round(median(rates.on))}/s, off ${Math.round(median(rates.off))}/s, ` +
        `on : off ${ratio.toFixed(2)}, ${waits} waits of the worker`,
    );
    // Beside a worker that is woken there is more work to do than beside one that sleeps.
    expect(ratio).toBeGreaterThan(withWorker ? 0.5 : 0.8);
    await on.clear('mail', { reserved: true });
  });

  test('from push to reserve', async () => {
    const [waiter, pusher] = [sandbox.open(), sandbox.open()];
    const { signal } = new AbortController();
    await pusher.size('mail');
    const tookMs: number[] = [];
    for (let round = 0; round < 300; round += 1) {
      await waiter.reserve(['mail'], 1, 60_000);
      const waiting = waiter.waitForJob?.(['mail'], 600_000, signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const fromMs = performance.now();
      await pusher.push('mail', [{ id: `timed-${round}`, body: '{}' }]);
      await waiting;
      const jobs = await waiter.reserve(['mail'], 1, 60_000);
      tookMs.push(performance.now() - fromMs);
      await waiter.delete(jobs.map(({ lease }) => lease));
    }
    const sorted = tookMs.sort((a, b) => a - b);
    console.log(
      `durable ${isDurable}: p50 ${median(tookMs).toFixed(1)} ms, p99 ${sorted[296]?.toFixed(1)} ms`,
    );
    expect(median(tookMs)).toBeLessThan(50);
  });
});

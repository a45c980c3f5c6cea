import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '../../src/index.js';
import { startPostgres } from '../support/postgres-server.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox } from '../support/server-sandbox.js';

/** Many short ones: what else the machine does hits both ways alike. */
const rounds = 31;
const roundMs = 150;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

let tellings = 0;
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
Object.assign(pg.Client.prototype, {
  query(this: pg.Client, ...args: [string | { text?: string }, ...unknown[]]) {
    const text = typeof args[0] === 'string' ? args[0] : args[0].text;
    if (text?.includes('pg_try_advisory_xact_lock')) tellings += 1;
    return query.apply(this, args);
  },
});

/** CPU time of this process so far, in ms: less open to what else the machine does than the time of day. */
function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let ids = 0;
interface Pushed {
  readonly perSecond: number;
  readonly count: number;
  readonly cpuMs: number;
  readonly tellings: number;
}

async function pushFor(connector: Connector, ms: number, producers: number): Promise<Pushed> {
  const [cpuMs, tellingsBefore] = [ownCpuMs(), tellings];
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
  return {
    perSecond: (pushed / (performance.now() - startMs)) * 1000,
    count: pushed,
    cpuMs: ownCpuMs() - cpuMs,
    tellings: tellings - tellingsBefore,
  };
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
    const rounded: Record<'on' | 'off', Pushed[]> = { on: [], off: [] };
    await pushFor(on, roundMs, producers);
    await pushFor(off, roundMs, producers);
    for (let round = 0; round < rounds; round += 1) {
      for (const way of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        rounded[way].push(await pushFor(way === 'on' ? on : off, roundMs, producers));
        if (!withWorker) await on.clear('mail');
      }
    }
    stop.abort();
    const waits = await working;
    const rates = {
      on: rounded.on.map(({ perSecond }) => perSecond),
      off: rounded.off.map(({ perSecond }) => perSecond),
    };
    const ratio = median(rates.on.map((rate, round) => rate / (rates.off[round] ?? Number.NaN)));
    const sum = (way: 'on' | 'off', key: keyof Pushed): number =>
      rounded[way].reduce((total, one) => total + one[key], 0);
    const cpuMs = (way: 'on' | 'off'): string => (sum(way, 'cpuMs') / sum(way, 'count')).toFixed(3);
    console.log(
      `durable ${isDurable}, ${name}: on ${Math.round(median(rates.on))}/s, off ${Math.round(median(rates.off))}/s, ` +
        `on : off ${ratio.toFixed(2)} in pairs, CPU of a push ${cpuMs('on')} and ${cpuMs('off')} ms, ` +
        `${sum('on', 'tellings')} tellings of ${sum('on', 'count')} pushes, ${waits} waits of the worker`,
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

import { setMaxListeners } from 'node:events';
import knex from 'knex';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { channelOf, waitingKey } from '../../drivers/database/dialects/postgres-news.js';
import type { NewJob } from '../../src/index.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
beforeAll(async () => {
  await sandbox.make();
  await sandbox.open().migrate();
});
afterAll(() => sandbox.clean());

/** Longer than a test may take: such a wait must be woken. */
const longMs = 600_000;
const job = (id: string) => ({ id, body: '{}' });
const { signal } = new AbortController();
setMaxListeners(0, signal);

/** The connections that are announced to wait, by process id. */
async function listeners(): Promise<unknown[]> {
  const rows = await sandbox.sql(
    `SELECT DISTINCT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE datname = current_database() AND locktype = 'advisory' AND mode = 'ShareLock' AND granted`,
  );
  return rows.map(({ pid }) => pid);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const isListening = async (): Promise<boolean> => (await listeners()).length > 0;

test('many waits share one connection, which close ends', async () => {
  const connector = sandbox.open();
  const waits = Array.from({ length: 20 }, (_, index) =>
    connector.waitForJob?.([`queue-${index}`], longMs, signal),
  );
  await until(isListening);
  expect(await listeners()).toHaveLength(1);
  await connector.close();
  await Promise.all(waits);
  await until(async () => !(await isListening()));
});

test('a wait whose connection is cut off listens on another', async () => {
  const connector = sandbox.open();
  const waiting = connector.waitForJob?.(['cut'], longMs, signal);
  await until(isListening);
  const [first] = await listeners();
  await sandbox.sql(`SELECT pg_terminate_backend(${first})`);
  await until(async () => (await listeners()).some((pid) => pid !== first));
  await sandbox.open().push('cut', [job('a')]);
  await waiting;
  await connector.close();
});

test('a push in a transaction wakes when that commits', async () => {
  const connector = sandbox.open();
  const app = knex({ client: 'pg', connection: sandbox.url });
  let isOver = false;
  const waiting = connector.waitForJob?.(['trx'], longMs, signal).then(() => {
    isOver = true;
  });
  await until(isListening);
  await app.transaction(async (trx) => {
    await connector.pushIn(trx, 'trx', [job('b')]);
    await trx.raw('SELECT pg_sleep(0.2)');
    expect(isOver).toBe(false);
  });
  await waiting;
  await app.destroy();
  await connector.close();
});

/** How many have been told to by others, through a session that waits as a worker's does. */
async function eavesdrop(queue: string) {
  const client = new pg.Client(sandbox.url);
  await client.connect();
  const heard: (string | undefined)[] = [];
  client.on('notification', ({ payload }) => heard.push(payload));
  const [row] = (await client.query('SELECT pg_backend_pid() AS pid')).rows;
  await client.query(`LISTEN ${channelOf('"jobs"', row.pid)}`);
  const key = waitingKey('"jobs"', queue);
  return {
    heard,
    announce: () => client.query('SELECT pg_advisory_lock_shared($1)', [key]),
    withdraw: () => client.query('SELECT pg_advisory_unlock_shared($1)', [key]),
    /** Resolves when all is here that was told before. */
    async caughtUp(): Promise<void> {
      const before = heard.length;
      await client.query(`SELECT pg_notify('${channelOf('"jobs"', row.pid)}', 'mark')`);
      while (heard.length === before || heard.at(-1) !== 'mark') await new Promise(setImmediate);
    },
    end: () => client.end(),
  };
}

test('a push tells those that wait as it commits, and asks again only where jobs are left to tell of', async () => {
  const session = await eavesdrop('along');
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  const textOf = ([asked]: unknown[]) => (asked as { readonly text?: string }).text ?? '';
  /** What told others of a push, from a connector that told of nothing lately. */
  const pushing = async (...ids: string[]): Promise<string[]> => {
    sent.mockClear();
    session.heard.length = 0;
    const connector = sandbox.open();
    await connector.push('along', ids.map(job));
    await connector.close();
    const texts = sent.mock.calls.map(textOf).filter((text) => text.includes('|| waiting.pid'));
    await session.caughtUp();
    return texts.map((text) => (text.includes('INSERT') ? 'push' : 'telling'));
  };
  const heard = () => session.heard.filter((payload) => payload !== 'mark');
  expect(await pushing('nobody')).toEqual(['push', 'telling']);
  expect(heard()).toEqual([]);
  await session.announce();
  expect(await pushing('one')).toEqual(['push']);
  expect(heard()).toEqual(['1along']);
  expect(await pushing('two', 'three')).toEqual(['push', 'telling']);
  expect(heard()).toEqual(['1along', '1along']);
  sent.mockRestore();
  await session.end();
});

test('a session is told while it says that it waits, of jobs that are committed, and not otherwise', async () => {
  const connector = sandbox.open();
  const session = await eavesdrop('heard');
  const pushed = async (queue: string, id: string): Promise<(string | undefined)[]> => {
    await connector.push(queue, [job(id)]);
    session.heard.length = 0;
    // A telling goes beside the push; closing waits for it.
    const last = sandbox.open();
    await last.push(queue, [job(`${id}-again`)]);
    await last.close();
    await session.caughtUp();
    return session.heard.filter((payload) => payload !== 'mark');
  };
  expect(await pushed('heard', 'e')).toEqual([]);
  await session.announce();
  expect(await pushed('heard', 'f')).toContain('1heard');
  expect(await pushed('unheard', 'g')).toEqual([]);
  await session.withdraw();
  expect(await pushed('heard', 'h')).toEqual([]);
  await session.end();
});

test('as many processes are told as there are jobs, and all of one that may be due later', async () => {
  const sessions = await Promise.all(Array.from({ length: 5 }, () => eavesdrop('shared')));
  for (const session of sessions) await session.announce();
  const told = async (jobs: readonly NewJob[]): Promise<number> => {
    for (const session of sessions) session.heard.length = 0;
    const connector = sandbox.open();
    await connector.push('shared', jobs);
    await connector.close();
    await Promise.all(sessions.map((session) => session.caughtUp()));
    return sessions.filter(({ heard }) => heard.some((payload) => payload !== 'mark')).length;
  };
  expect(await told([job('one')])).toBe(1);
  expect(await told([job('two-1'), job('two-2')])).toBe(2);
  expect(await told([{ ...job('later'), delayMs: 50_000 }])).toBe(5);
  await Promise.all(sessions.map((session) => session.end()));
});

test('who is told and waits no longer passes it on', async () => {
  const [busy, idle, pusher] = [sandbox.open(), sandbox.open(), sandbox.open()];
  await pusher.size('busy');
  let done = 0;
  const stop = new AbortController();
  const working = (async () => {
    while (!stop.signal.aborted) {
      const jobs = await idle.reserve(['busy'], 1, 60_000);
      await idle.delete(jobs.map(({ lease }) => lease));
      done += jobs.length;
      if (jobs.length === 0) await idle.waitForJob?.(['busy'], longMs, stop.signal);
    }
  })();
  for (let round = 1; round <= 30; round += 1) {
    // Ended without a job it stays announced, and may be the one that is told.
    while ((await listeners()).length < 2) await busy.waitForJob?.(['busy'], 1, signal);
    await pusher.push('busy', [job(`busy-${round}`)]);
    await until(async () => done === round);
  }
  stop.abort();
  await working;
  await Promise.all([busy.close(), idle.close(), pusher.close()]);
});

test('no push is missed around falling asleep', async () => {
  const pusher = sandbox.open();
  const workers = [sandbox.open(), sandbox.open()];
  const stop = new AbortController();
  const done = new Set<string>();
  await pusher.size('asleep');
  // Their waits last longer than the test: a job that nobody is told of would stay.
  const working = workers.map(async (worker) => {
    while (!stop.signal.aborted) {
      const jobs = await worker.reserve(['asleep'], 1, 60_000);
      for (const { id } of jobs) done.add(id);
      if (jobs.length > 0) await worker.delete(jobs.map(({ lease }) => lease));
      else await worker.waitForJob?.(['asleep'], longMs, stop.signal);
    }
  });
  for (let round = 0; round < 1000; round += 1) {
    const id = `asleep-${round}`;
    await pusher.push('asleep', [job(id)]);
    // Every other time as one falls asleep, or at another moment around that.
    if (round % 2 === 0) while (!done.has(id)) await new Promise(setImmediate);
    else await new Promise((resolve) => setTimeout(resolve, round % 7));
  }
  await until(async () => done.size === 1000);
  stop.abort();
  await Promise.all(working);
  await Promise.all([...workers, pusher].map((connector) => connector.close()));
});

test('a session that waits and is gone is not told any longer', async () => {
  const connector = sandbox.open();
  const waiting = connector.waitForJob?.(['gone'], longMs, signal);
  await until(isListening);
  await connector.close();
  await waiting;
  await until(async () => (await listeners()).length === 0);
});

test('without notify waits look, and nobody tells or listens', async () => {
  const connector = sandbox.open({ notify: false });
  const looking = connector.waitForJob?.(['looked-at'], longMs, signal);
  await sandbox.open({ notify: false }).push('looked-at', [job('seen')]);
  await looking;
  expect(await listeners()).toEqual([]);
  const session = await eavesdrop('silent');
  await session.announce();
  await connector.push('silent', [job('c')]);
  await connector.close(); // which waits for what is told beside a push
  await session.caughtUp();
  expect(session.heard).toEqual(['mark']);
  await session.end();
});

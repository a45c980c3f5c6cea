import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import type { Lease, NewJob } from '../../src/index.js';
import { failedJob, SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
afterAll(() => sandbox.clean());

const leaseMs = 90_000;
const jobs = (...ids: string[]): NewJob[] => ids.map((id) => ({ id, body: `{"id":"${id}"}` }));

/** Makes SQLite refuse one kind of change from now on. */
function refuse(file: string, change: string): void {
  const raw = new Database(file);
  raw.exec(`CREATE TRIGGER refuse BEFORE ${change} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`);
  raw.close();
}

test('a lease that lapsed holds no job that came to have the same row id', async () => {
  const connector = sandbox.open(sandbox.newFile());
  const takeOne = async (): Promise<Lease> => {
    const [taken] = await connector.reserve(['mail'], 1, leaseMs);
    if (taken === undefined) throw new Error('there is none');
    return taken.lease;
  };
  await connector.push('mail', jobs('a'));
  const stale = await takeOne();
  sandbox.nowMs += leaseMs;
  await connector.delete([await takeOne()]);
  await connector.push('mail', jobs('b'));
  const lease = await takeOne();
  expect(lease.handle).toBe(stale.handle);
  expect(await connector.delete([stale])).toEqual([false]);
  expect(await connector.release([{ lease: stale, delayMs: 0 }])).toEqual([false]);
  expect(await connector.unreserve([stale])).toEqual([false]);
  expect(await connector.extend([stale], leaseMs)).toEqual([false]);
  const record = failedJob({ jobId: 'a' });
  expect(await connector.fail([{ lease: stale, record }])).toEqual([false]);
  expect(await connector.delete([lease])).toEqual([true]);
});

describe('push', () => {
  test('stores the first of two jobs with one id in one call', async () => {
    const connector = sandbox.open(sandbox.newFile());
    const outcomes = await connector.push('mail', [
      { id: 'a', body: 'first' },
      { id: 'a', body: 'second' },
      { id: 'b', body: 'third' },
    ]);
    expect(outcomes).toEqual(['stored', 'already-there', 'stored']);
    const taken = await connector.reserve(['mail'], 10, leaseMs);
    expect(taken.map(({ body }) => body)).toEqual(['first', 'third']);
  });

  test('stores nothing when one job of the call is refused', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.push('mail', jobs('before'));
    refuse(file, `INSERT ON jobs WHEN NEW.job_id = 'c'`);
    await expect(connector.push('mail', jobs('a', 'b', 'c'))).rejects.toMatchObject({ name: 'QueueError' });
    expect(await connector.size('mail')).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('tells of hundreds in one call which were there, and keeps their order', async () => {
    const connector = sandbox.open(sandbox.newFile());
    const ids = Array.from({ length: 150 }, (_, index) => `job-${String(index).padStart(3, '0')}`);
    await connector.push('mail', jobs('job-040'));
    const outcomes = await connector.push('mail', jobs(...ids, 'job-001'));
    const there = outcomes.flatMap((outcome, index) => (outcome === 'stored' ? [] : [index]));
    expect(outcomes).toHaveLength(151);
    expect(there).toEqual([40, 150]);
    const taken = await connector.reserve(['mail'], 200, leaseMs);
    expect(taken.map(({ id }) => id)).toEqual(['job-040', ...ids.filter((id) => id !== 'job-040')]);
  });

  test('stores an id that stands twice among hundreds with the first, due or delayed', async () => {
    const connector = sandbox.open(sandbox.newFile());
    const ids = Array.from({ length: 96 }, (_, index) => `job-${index}`);
    const list = jobs(...ids.with(9, 'job-3').with(70, 'job-64')).map((job, index) =>
      index === 80 ? { ...job, delayMs: 60_000 } : job,
    );
    const outcomes = await connector.push('mail', list);
    const there = outcomes.flatMap((outcome, index) => (outcome === 'stored' ? [] : [index]));
    expect(there).toEqual([9, 70]);
    expect(await connector.push('mail', list)).toEqual(Array(96).fill('already-there'));
    expect(await connector.size('mail')).toEqual({ ready: 93, delayed: 1, reserved: 0 });
  });

  test('stores nothing when one of hundreds is refused', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.push('mail', jobs('before'));
    refuse(file, `INSERT ON jobs WHEN NEW.job_id = 'job-100'`);
    const many = jobs(...Array.from({ length: 150 }, (_, index) => `job-${index}`));
    await expect(connector.push('mail', many)).rejects.toMatchObject({ name: 'QueueError' });
    expect(await connector.size('mail')).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test.each(["x' OR 1=1 --", '`', '"', '?', '??', ':a', '$1', '%'])(
    'takes %s for a queue name and nothing else',
    async (queue) => {
      const connector = sandbox.open(sandbox.newFile());
      await connector.push('other', jobs('other'));
      await connector.push(queue, jobs('a'));
      const [job] = await connector.reserve([queue], 10, leaseMs);
      expect(job).toMatchObject({ id: 'a', queue });
      expect(await connector.clear(queue, { reserved: true })).toEqual({ ready: 0, delayed: 0, reserved: 1 });
      expect(await connector.size('other')).toMatchObject({ ready: 1 });
    },
  );
});

describe('leases', () => {
  test('each has its own token, which ends in its place in the reserve', async () => {
    const connector = sandbox.open(sandbox.newFile());
    await connector.push('mail', jobs('a', 'b'));
    const leases = (await connector.reserve(['mail'], 2, leaseMs)).map(({ lease }) => lease);
    for (const [place, { token }] of leases.entries())
      expect(token).toMatch(new RegExp(`^[\\w-]{16}:${place}$`));
    expect(new Set(leases.map(({ token }) => token)).size).toBe(2);
  });

  test('hold only as the pair of row and token', async () => {
    const connector = sandbox.open(sandbox.newFile());
    await connector.push('mail', jobs('a', 'b'));
    const [a, b] = (await connector.reserve(['mail'], 2, leaseMs)).map(({ lease }) => lease) as [
      Lease,
      Lease,
    ];
    const crossed = [
      { ...a, token: b.token },
      { ...b, token: a.token },
    ];
    expect(await connector.extend(crossed, leaseMs)).toEqual([false, false]);
    expect(await connector.unreserve(crossed)).toEqual([false, false]);
    expect(await connector.release(crossed.map((lease) => ({ lease, delayMs: 0 })))).toEqual([false, false]);
    expect(await connector.delete(crossed)).toEqual([false, false]);
    expect(await connector.delete([b, a, a])).toEqual([true, true, false]);
  });

  test('a lapsed job is due from the end of its lease on, among the others', async () => {
    const connector = sandbox.open(sandbox.newFile());
    await connector.push('mail', jobs('lapses'));
    await connector.reserve(['mail'], 1, 5_000);
    await connector.push('mail', [
      { id: 'earlier', body: '', delayMs: 4_000 },
      { id: 'later', body: '', delayMs: 6_000 },
    ]);
    expect(await connector.size('mail')).toEqual({ ready: 0, delayed: 2, reserved: 1 });
    sandbox.nowMs += 7_000;
    expect(await connector.size('mail')).toEqual({ ready: 3, delayed: 0, reserved: 0 });
    const taken = await connector.reserve(['mail'], 10, leaseMs);
    expect(taken.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['earlier', 1],
      ['lapses', 2],
      ['later', 1],
    ]);
  });
});

describe('fail', () => {
  test('keeps the job when the record cannot be written', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.push('mail', jobs('job-1'));
    const [job] = await connector.reserve(['mail'], 1, leaseMs);
    refuse(file, 'INSERT ON failed_jobs');
    const lease = job?.lease as Lease;
    await expect(connector.fail([{ lease, record: failedJob() }])).rejects.toMatchObject({
      name: 'QueueError',
    });
    expect(await connector.failedJobs.list()).toEqual([]);
    expect(await connector.extend([lease], leaseMs)).toEqual([true]);
  });

  test('records those that were held and no others', async () => {
    const connector = sandbox.open(sandbox.newFile());
    await connector.push('mail', jobs('job-1', 'job-2'));
    const [one, two] = await connector.reserve(['mail'], 2, leaseMs);
    const failures = [
      { lease: { ...one?.lease, token: 'stale' } as Lease, record: failedJob() },
      { lease: two?.lease as Lease, record: failedJob({ jobId: 'job-2', uuid: 'uuid-2' }) },
    ];
    expect(await connector.fail(failures)).toEqual([false, true]);
    expect((await connector.failedJobs.list()).map(({ jobId }) => jobId)).toEqual(['job-2']);
    expect(await connector.size('mail')).toEqual({ ready: 0, delayed: 0, reserved: 1 });
  });
});

describe('failed jobs', () => {
  test('come back as they were recorded', async () => {
    const connector = sandbox.open(sandbox.newFile());
    const record = failedJob({ name: null, payload: 'not json \u0000 \u{1F30D}', causes: [] });
    await connector.failedJobs.record([record]);
    expect(await connector.failedJobs.find([record.uuid])).toEqual([record]);
  });

  test('retry stores no job when the record cannot be removed', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    const record = failedJob();
    await connector.failedJobs.record([record]);
    refuse(file, 'DELETE ON failed_jobs');
    await expect(connector.failedJobs.retry([record.uuid])).rejects.toMatchObject({ name: 'QueueError' });
    expect(await connector.size('mail')).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    expect(await connector.failedJobs.list()).toHaveLength(1);
  });

  test('retry answers per record, and keeps the record of a job that is live', async () => {
    const connector = sandbox.open(sandbox.newFile());
    await connector.failedJobs.record([
      failedJob({ uuid: 'u1', jobId: 'live' }),
      failedJob({ uuid: 'u2', jobId: 'gone' }),
    ]);
    await connector.push('mail', jobs('live'));
    const outcomes = await connector.failedJobs.retry(['u1', 'u2', 'u2', 'u3']);
    expect(outcomes).toEqual(['already-there', 'retried', 'not-found', 'not-found']);
    expect((await connector.failedJobs.list()).map(({ uuid }) => uuid)).toEqual(['u1']);
    const taken = await connector.reserve(['mail'], 10, leaseMs);
    expect(taken.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['live', 1],
      ['gone', 1],
    ]);
  });
});

describe('a connection', () => {
  test('opens nothing before its first verb', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    await connector.close();
    expect(existsSync(file)).toBe(false);
  });

  test('closes after the verbs under way, and takes no more', async () => {
    const file = sandbox.newFile();
    const connector = sandbox.open(file);
    const pushing = Array.from({ length: 20 }, (_, index) => connector.push('mail', jobs(`job-${index}`)));
    await connector.close();
    expect(await Promise.all(pushing)).toEqual(Array(20).fill(['stored']));
    await expect(connector.size('mail')).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED', transient: false });
    await expect(connector.migrate()).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    await expect(connector.failedJobs.list()).rejects.toMatchObject({ code: 'E_QUEUE_CLOSED' });
    await connector.close();
    // The last connection to close folds the log into the file.
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test('lets the event loop turn while verbs follow each other', async () => {
    const connector = sandbox.open({ url: 'sqlite::memory:' });
    await connector.size('mail');
    let isDone = false;
    let verbs = 0;
    setTimeout(() => {
      isDone = true;
    }, 50);
    // A bound, as a loop that starves the event loop would starve the test's timeout too.
    while (!isDone && verbs < 100_000) {
      await connector.reserve(['mail'], 1, leaseMs);
      verbs += 1;
    }
    expect(isDone).toBe(true);
  });

  test('in memory keeps its jobs for as long as it is open, and to itself', async () => {
    const [one, two] = [sandbox.open({ url: 'sqlite::memory:' }), sandbox.open({ url: 'file::memory:' })];
    await one.push('mail', jobs('a'));
    expect(await one.size('mail')).toMatchObject({ ready: 1 });
    expect(await two.size('mail')).toMatchObject({ ready: 0 });
  });
});

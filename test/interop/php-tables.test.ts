import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { type Connector, createQueue, type Job, type Queue, type ReservedJob } from '../../src/index.js';
import { type PhpJob, type PhpLibrary, PhpTable } from '../support/php-tables.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { failedJob, type SqliteConnector } from '../support/sqlite.js';
import { jobsOf, putRows, recordings, rowsIn } from './golden-rows.js';

const sandbox = new ServerSandbox('mariadb');
beforeAll(async () => {
  await sandbox.make();
});
afterAll(() => sandbox.clean());

const data = { name: '中文/emoji 😀', n: 1, f: 1.5, list: [1, [2, {}]], nil: null, yes: true };
const leaseMs = 60_000;

/** PHP's columns of when a job was reserved and is due. */
const times: Readonly<Record<PhpLibrary, readonly [reserved: string, due: string]>> = {
  'think-3': ['reserve_time', 'available_time'],
  'think-1': ['reserved_at', 'available_at'],
  laravel: ['reserved_at', 'available_at'],
};

/** The fields of a payload as each library writes it, without those of this run. */
const fields: Readonly<Record<PhpLibrary, readonly string[]>> = {
  'think-3': ['job', 'maxTries', 'timeout', 'data'],
  'think-1': ['job', 'data'],
  laravel: [
    'uuid',
    'displayName',
    'job',
    'maxTries',
    'maxExceptions',
    'failOnTimeout',
    'backoff',
    'timeout',
    'data',
    'createdAt',
    'delay',
  ],
};

describe.each(recordings)('$library', ({ library, prefix, cases }) => {
  const options = { url: '', wire: library, prefix, lease: 60, queue: 'golden' } as const;
  const table = `${prefix}jobs`;
  let php: PhpTable;
  let drover: SqliteConnector;
  let queue: Queue;
  let ran: { name: string; data: unknown; attempts: number; id: string }[];
  /** What the handlers do, besides being noted. */
  let behaviour: (job: Job) => unknown;

  class Demo {
    fire(job: Job, given: unknown) {
      return note(job, given);
    }
    task1(job: Job, given: unknown) {
      return note(job, given);
    }
    boom(job: Job, given: unknown) {
      return note(job, given);
    }
    handle(job: Job, given: unknown) {
      return note(job, given);
    }
  }
  async function note(job: Job, given: unknown) {
    ran.push({ name: job.name, data: given, attempts: job.attempts(), id: job.id });
    await behaviour(job);
  }

  beforeAll(async () => {
    php = new PhpTable(sandbox.url, library, { prefix });
    drover = sandbox.open({ wire: library, prefix, lease: 60 });
    await drover.migrate();
    queue = createQueue({
      connections: { database: database({ ...options, url: sandbox.url }) },
      jobs: { 'app\\job\\Demo': Demo, 'App\\Jobs\\X': Demo },
      worker: { timeout: '20s', unknownJobPatience: 0 }, // well within retry_after
    });
  });
  afterAll(async () => {
    await php.close();
    await queue.close();
  });
  beforeEach(async () => {
    await sandbox.sql(`DELETE FROM ${table}`);
    await sandbox.sql(`DELETE FROM ${prefix}failed_jobs`);
    ran = [];
    behaviour = () => {};
  });

  const push = (given: unknown, options: object = {}) => queue.push('app\\job\\Demo', given, options);
  const work = () => queue.worker({ stopWhenEmpty: true, sleep: '10ms', tries: 1 }).run();
  const reserve = async (): Promise<ReservedJob> =>
    (await drover.reserve(['golden'], 1, leaseMs))[0] as ReservedJob;
  const pop = async (): Promise<PhpJob> => (await php.pop('golden')) as PhpJob;
  /** Lets time pass for what is stored. */
  async function advance(seconds: number): Promise<void> {
    const moved = times[library].map((column) => `${column} = ${column} - ${seconds}`);
    await sandbox.sql(`UPDATE ${table} SET ${moved.join(', ')}`);
  }
  const count = async () => (await rowsIn(sandbox, table)).length;

  test.each(cases.filter(({ sql }) => /^insert into `\w+jobs`/i.test(sql[0] ?? '')))(
    'what PHP wrote in $name is read',
    async (one) => {
      const rows = jobsOf(one, prefix).map((row) => ({ ...row, [times[library][1]]: '1' }));
      await putRows(sandbox, table, rows, 99);
      await work();
      // Objects and what no handler is known of are given up, and kept.
      const mine = rows.filter(({ payload }) => !/CallQueuedHandler|^\{"job":"x"/.test(payload ?? ''));
      expect(ran.map(({ id }) => id)).toEqual(mine.map(({ id }) => id));
      for (const [index, { payload }] of mine.entries()) {
        expect(ran[index]).toMatchObject({ attempts: 1, data: JSON.parse(payload ?? '').data });
      }
      expect((await queue.failed.list()).map(({ payload }) => payload)).toEqual(
        rows.filter((row) => !mine.includes(row)).map(({ payload }) => payload),
      );
      expect(await count()).toBe(0);
    },
  );

  test('a push is a row of PHP, and PHP runs it', async () => {
    const before = Math.floor((await sandbox.now()) / 1000);
    const id = await push(data);
    const [row] = await rowsIn(sandbox, table);
    const [recorded] = jobsOf(cases[0] as (typeof cases)[number], prefix);
    expect(Object.keys(row ?? {})).toEqual(Object.keys(recorded ?? {}));
    const [reserved, due] = times[library];
    expect(row).toMatchObject({ id, queue: 'golden', attempts: '0', [reserved]: null });
    expect(Number(row?.[due]) - before).toBeLessThan(10);
    expect(Object.keys(JSON.parse(row?.payload ?? ''))).toEqual(fields[library]);
    expect(row?.payload).toMatch(/^[\0-\x7f]+$/);
    const job = await pop();
    expect([job.id, job.attempts(), JSON.parse(job.raw).data]).toEqual([Number(id), 1, data]);
    await job.delete();
    expect(await count()).toBe(0);
  });

  test('a delay holds for both', async () => {
    await push('from here', { delay: 60 });
    await php.pushRaw('{"job":"app\\\\job\\\\Demo","data":"from PHP"}', 'golden', 60);
    expect([await php.pop('golden'), await reserve()]).toEqual([null, undefined]);
    expect(await drover.size('golden')).toEqual({ ready: 0, delayed: 2, reserved: 0 });
    await advance(61);
    expect((await pop()).raw).toContain('from here');
    expect((await reserve()).body).toContain('from PHP');
  });

  test('what one reserved and did not finish the other gets after retry_after, with one attempt more', async () => {
    await push('a');
    const mine = await reserve();
    expect([mine.attempts, await php.pop('golden')]).toEqual([1, null]);
    await advance(61);
    const theirs = await pop();
    expect([String(theirs.id), theirs.attempts(), await reserve()]).toEqual([mine.id, 2, undefined]);
    await advance(61);
    const again = await reserve();
    expect([again.attempts, await drover.delete([again.lease])]).toEqual([3, [true]]);
  });

  test('an extended lease holds for PHP', async () => {
    await push('a');
    const { lease } = await reserve();
    await advance(59);
    // The time of the row was moved by hand: the lease is one of another process now.
    expect(await drover.extend([{ ...lease }], leaseMs)).toEqual([true]);
    await advance(59);
    expect(await php.pop('golden')).toBe(null);
  });

  test('released in turns it stays one job, with each attempt counted', async () => {
    await push(data);
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      if (attempt % 2 === 1) {
        const job = await reserve();
        expect([job.attempts, JSON.parse(job.body).data]).toEqual([attempt, data]);
        expect(await drover.release([{ lease: job.lease, delayMs: 0 }])).toEqual([true]);
      } else {
        const job = await pop();
        expect(job.attempts()).toBe(attempt);
        await job.release(0);
      }
      expect(await count()).toBe(1);
    }
  });

  test('a late delete or release of ours takes nothing from PHP', async () => {
    await push('a');
    const late = await reserve();
    await advance(61);
    const theirs = await pop();
    for (const { lease } of [late, { lease: { ...late.lease } }]) {
      expect(await drover.delete([lease])).toEqual([false]);
      expect(await drover.release([{ lease, delayMs: 0 }])).toEqual([false]);
      expect(await drover.extend([lease], leaseMs)).toEqual([false]);
      expect(await drover.fail([{ lease, record: failedJob() }])).toEqual([false]);
    }
    expect(await php.pop('golden')).toBe(null);
    await theirs.delete();
    expect([await count(), await drover.failedJobs.list()]).toEqual([0, []]);
  });

  test("a late delete of PHP takes our job, which PHP's library does to its own; ours then says so", async () => {
    await push('a');
    const late = await pop();
    await advance(61);
    const mine = await reserve();
    await late.delete();
    expect(await drover.delete([mine.lease])).toEqual([false]);
    expect(await count()).toBe(0);
  });

  test('after a late release of PHP there is one job', async () => {
    await push('a');
    const late = await pop();
    await advance(61);
    const mine = await reserve();
    await late.release(0);
    expect(await drover.release([{ lease: mine.lease, delayMs: 0 }])).toEqual([false]);
    expect(await count()).toBe(1);
  });

  test('what is put off for PHP keeps its attempt for it', async () => {
    await push('a');
    const { lease } = await reserve();
    expect(await drover.postpone?.([{ lease, delayMs: 60_000 }])).toEqual([true]);
    expect(await php.pop('golden')).toBe(null);
    await advance(62);
    expect((await pop()).attempts()).toBe(1);
    await advance(5); // as much as had gone by in truth: the seconds of the two reservations differ
    expect(await drover.delete([lease])).toEqual([false]);
  });

  test('attempts end where PHP can still add one', async () => {
    await push('a');
    await sandbox.sql(`UPDATE ${table} SET attempts = 255`);
    const job = await reserve();
    await drover.release([{ lease: job.lease, delayMs: 0 }]);
    expect((await rowsIn(sandbox, table))[0]?.attempts).toBe('254');
    expect((await pop()).attempts()).toBe(255);
  });

  test('at that end the time of the reservation tells two deliveries apart', async () => {
    await push('a');
    await sandbox.sql(`UPDATE ${table} SET attempts = 254`);
    const late = await reserve();
    await advance(61);
    const next = await reserve();
    if (library !== 'think-1') expect(next.attempts).toBe(late.attempts);
    await advance(5); // so that the two seconds differ from what is known of them
    expect(await drover.delete([late.lease])).toEqual([false]);
    expect(await count()).toBe(1);
  });

  test('a worker reserves nothing ahead', async () => {
    for (let index = 0; index < 20; index += 1) await push(index);
    const reserved: number[] = [];
    behaviour = async () => reserved.push((await queue.size()).reserved);
    await queue.worker({ stopWhenEmpty: true, sleep: '10ms', prefetch: 100, concurrency: 2 }).run();
    expect(ran.length).toBe(20);
    expect(Math.max(...reserved)).toBeLessThanOrEqual(4); // two run, two may be on their way out
  });

  test('our failed job is what PHP lists and retries', async () => {
    behaviour = () => {
      throw new TypeError('no address 😀');
    };
    await queue.push('app\\job\\Demo@boom', data);
    await work();
    const [row] = await rowsIn(sandbox, `${prefix}failed_jobs`);
    expect(row).toMatchObject({ connection: 'database', queue: 'golden' });
    expect(Object.keys(JSON.parse(row?.payload ?? ''))).toEqual(fields[library]);
    expect(row?.exception).toMatch(
      /^TypeError: no address . in \S+php-tables\.test\.ts:\d+\nStack trace:\n#0 \S+:\d+: .+\n/u,
    );
    expect(row?.exception).toMatch(/\n#\d+ \{main\}\n/);
    const [record] = await queue.failed.list();
    expect(record).toMatchObject({
      uuid: library === 'laravel' ? row?.uuid : row?.id,
      message: 'no address 😀',
      errorClass: 'TypeError',
      attempts: 1,
      reason: 'max-tries',
      name: 'app\\job\\Demo@boom',
    });
    if (library === 'laravel') return;
    expect(await php.retry(row?.id ?? '')).toBe(true);
    expect([await count(), await queue.failed.list()]).toEqual([1, []]);
    expect((await pop()).attempts()).toBe(1);
  });

  test("PHP's failed job is listed, retried, forgotten and flushed here", async () => {
    const [id, time] = library === 'laravel' ? ['uuid', 'failed_at'] : ['id', 'fail_time'];
    const fail = (at: number, given: string) =>
      sandbox.sql(
        `INSERT INTO ${prefix}failed_jobs (${library === 'laravel' ? 'uuid, ' : ''}connection, queue, payload, exception, ${time})
         VALUES (${library === 'laravel' ? `'0b2f1f0e-0000-4000-8000-00000000000${at}', ` : ''}'database', 'golden',
           '{"job":"app\\\\\\\\job\\\\\\\\Demo","data":"${given}","attempts":7}',
           'RuntimeException: boom: {"k":"\\\\u4e2d"} in /app/lib/demo_body.php:9\\nStack trace:\\n#0 /app/a.php(95): x()', '2026-11-20 23:33:5${at}')`,
      );
    for (const at of [0, 1, 2]) await fail(at, `job ${at}`);
    const listed = await queue.failed.list();
    expect(listed.map(({ failedAtMs }) => new Date(failedAtMs).toISOString())).toEqual([
      '2026-11-20T23:33:52.000Z',
      '2026-11-20T23:33:51.000Z',
      '2026-11-20T23:33:50.000Z',
    ]);
    expect(listed[0]).toMatchObject({
      name: 'app\\job\\Demo',
      errorClass: 'RuntimeException',
      message: 'boom: {"k":"\\u4e2d"}',
      queue: 'golden',
      connection: 'database',
    });
    const ids = (await rowsIn(sandbox, `${prefix}failed_jobs`)).map((row) => row[id ?? ''] as string);
    const [oldest] = await queue.failed.find([ids[0] as string]);
    expect(await queue.failed.retry([oldest as NonNullable<typeof oldest>])).toMatchObject([
      { outcome: 'retried' },
    ]);
    const job = await pop();
    expect([job.attempts(), job.raw]).toEqual([
      1,
      '{"job":"app\\\\job\\\\Demo","data":"job 0","attempts":0}',
    ]);
    expect(await queue.failed.forget([ids[1] as string])).toBe(1);
    expect((await queue.failed.list()).map(({ uuid }) => uuid)).toEqual([ids[2]]);
    expect(await queue.failed.list({ name: 'app\\job\\Other' })).toEqual([]);
    expect(await queue.failed.flush({ beforeMs: Date.parse('2026-11-20T23:33:52Z') })).toBe(0);
    expect(await queue.failed.flush()).toBe(1);
  });

  test('what PHP has no column for is not offered', () => {
    const { unreserve, releaseThrown, longestWaitMs }: Connector = drover;
    expect([unreserve, releaseThrown, longestWaitMs]).toEqual([undefined, undefined, undefined]);
  });

  test('an id of the caller is refused, and many jobs have their ids in order', async () => {
    await expect(push('a', { id: 'mine' })).rejects.toMatchObject({ code: 'E_UNSUPPORTED' });
    const ids = await queue.pushMany([
      ['app\\job\\Demo', 1],
      ['app\\job\\Demo', 2, { queue: 'other' }],
      ['app\\job\\Demo', 3],
    ]);
    const rows = await rowsIn(sandbox, table);
    expect(ids.map((id) => rows.find((row) => row.id === id)?.payload)).toEqual(
      [1, 2, 3].map((given) => expect.stringContaining(`"data":${given}`)),
    );
    expect(await queue.find(ids[0] as string)).toMatchObject([{ state: 'ready', name: 'app\\job\\Demo' }]);
    expect(await queue.find('no-row')).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabaseOptions, database } from '../../drivers/database/index.js';
import { LocalTime } from '../../drivers/database/profiles/local-time.js';
import {
  laravelRows,
  thinkQueue1Rows,
  thinkQueue3Rows,
} from '../../drivers/database/profiles/row-formats.js';
import { withAttemptsReset } from '../../drivers/database/profiles/top-level-attempts.js';
import type { Lease, Payload } from '../../src/index.js';
import { ServerSandbox, serverKinds } from '../support/server-sandbox.js';
import { failedJob, SqliteSandbox } from '../support/sqlite.js';

const wires = ['think-3', 'think-1', 'laravel'] as const;
const url = 'sqlite::memory:';

describe.each(serverKinds)('on %s', (kind) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  test.each(wires)('queue:migrate makes the tables of %s, and the doctor finds them well', async (wire) => {
    const connector = sandbox.open({ wire, prefix: sandbox.newPrefix(), autoMigrate: false });
    const statuses = async () =>
      new Map((await connector.diagnose?.())?.map(({ check, status }) => [check, status]));
    expect((await statuses()).get('schema')).toBe('error');
    expect((await connector.schemaSql()).length).toBeGreaterThan(6);
    const steps = await connector.migrate();
    expect(steps.slice(0, 2)).toEqual([
      `${wire}_jobs`,
      `${wire === 'laravel' ? wire : 'think-3'}_failed_jobs`,
    ]);
    expect(await connector.migrate()).toEqual([]);
    const found = await statuses();
    expect([found.get('schema'), found.get('columns'), found.get('indexes')]).toEqual(['ok', 'ok', 'ok']);
  });

  test('a table that is there is left as it is, and one of something else is told of', async () => {
    const prefix = sandbox.newPrefix();
    await sandbox.sql(`CREATE TABLE ${prefix}jobs (id int, queue varchar(9), payload text, attempts int)`);
    const connector = sandbox.open({ wire: 'think-3', prefix });
    await connector.migrate();
    expect(await connector.diagnose?.()).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ check: 'columns', status: 'error' }),
        expect.objectContaining({ check: 'indexes', status: 'warning' }),
      ]),
    );
    await expect(connector.push('q', [{ id: 'a', body: '{}' }])).rejects.toMatchObject({
      code: 'E_STORE_SCHEMA',
    });
    await sandbox.sql(`INSERT INTO ${prefix}jobs (id, queue, payload, attempts) VALUES (1, 'q', '{}', 0)`);
    expect(await sandbox.sql(`SELECT * FROM ${prefix}jobs`)).toEqual([
      { id: 1, queue: 'q', payload: '{}', attempts: 0 },
    ]);
  });
});

test("the whole script is PHP's tables and drover's others, in each dialect", async () => {
  const sandbox = new SqliteSandbox();
  const connector = sandbox.open({ url, wire: 'think-3', table: 'php_jobs' });
  for (const dialect of ['mysql', 'postgres', 'sqlite']) {
    const script = (await connector.schemaSql({ dialect })).join(';\n');
    expect(script).toMatch(/CREATE TABLE IF NOT EXISTS [`"]php_jobs[`"] \(\n {2}[`"]id/);
    expect(script).toContain('reserve_time');
    expect(script).toContain('queue_signals');
    expect(script).not.toContain('lease_token');
  }
  await sandbox.clean();
});

test("tables of MySQL's three-byte utf8 take every payload and every failure", async () => {
  const sandbox = await new ServerSandbox('mariadb').make();
  await sandbox.sql(`
    CREATE TABLE jobs (
      id int(11) NOT NULL AUTO_INCREMENT, queue varchar(255) NOT NULL, payload longtext NOT NULL,
      attempts tinyint(3) unsigned NOT NULL, reserved tinyint(3) unsigned NOT NULL,
      reserved_at int(10) unsigned DEFAULT NULL, available_at int(10) unsigned NOT NULL,
      created_at int(10) unsigned NOT NULL, PRIMARY KEY (id)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8;
    CREATE TABLE failed_jobs (
      id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY, connection text NOT NULL, queue text NOT NULL,
      payload longtext NOT NULL, exception longtext NOT NULL, fail_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8;`);
  const connector = sandbox.open({ wire: 'think-1' });
  const body = thinkQueue1Rows.encode(payload({ data: '😀 中文' }));
  await connector.push('q', [{ id: 'a', body }]);
  const [job] = await connector.reserve(['q'], 1, 60_000);
  expect(job?.body).toBe(body);
  const record = failedJob({ jobId: job?.id ?? '', payload: body, message: '😀', queue: 'q' });
  expect(await connector.fail(job ? [{ lease: job.lease, record }] : [])).toEqual([true]);
  expect(await connector.failedJobs.list()).toEqual([{ ...record, uuid: '1' }]);
  await sandbox.clean();
});

test.each(wires)('on %s a lease that ended with a postpone is told from the next one', async (wire) => {
  const sandbox = new SqliteSandbox();
  const connector = sandbox.open({ url, wire });
  await connector.push('q', [{ id: 'a', body: '{}' }]);
  sandbox.nowMs += 50; // so that the delay ends within the second in which the reservation counts from
  const [late] = await connector.reserve(['q'], 1, 60_000);
  const ended = { lease: late?.lease as Lease, delayMs: 800 };
  expect(await connector.postpone?.([ended])).toEqual([true]);
  sandbox.nowMs += 950;
  const early = await connector.reserve(['q'], 1, 60_000);
  sandbox.nowMs += 1000;
  const [next] = [...early, ...(await connector.reserve(['q'], 1, 60_000))];
  expect([next?.attempts, next?.lease.handle]).toEqual([1, late?.lease.handle]);
  expect(await connector.postpone?.([ended])).toEqual([false]);
  expect(await connector.delete([ended.lease])).toEqual([false]);
  expect(await connector.delete([next?.lease as Lease])).toEqual([true]);
  await sandbox.clean();
});

function payload(more: Partial<Payload>): Payload {
  return { job: 'app\\job\\Demo', maxTries: null, timeout: null, data: '', id: 'u-1', ...more };
}

test('the payloads have the fields of each version', () => {
  const limits = { maxTries: 3, timeout: 1.5, timeoutAt: 9, backoff: [1, 5] };
  expect(thinkQueue3Rows.encode(payload(limits))).toBe(
    '{"job":"app\\\\job\\\\Demo","maxTries":3,"timeout":2,"timeoutAt":9,"data":"","backoff":[1,5]}',
  );
  expect(thinkQueue1Rows.encode(payload({ data: 'é' }))).toBe(
    '{"job":"app\\\\job\\\\Demo","data":"\\u00e9"}',
  );
  expect(thinkQueue1Rows.encode(payload(limits))).toBe(
    '{"job":"app\\\\job\\\\Demo","data":"","maxTries":3,"timeout":2,"timeoutAt":9,"backoff":[1,5]}',
  );
  const laravel = laravelRows(() => 1_000_500);
  const id = '0b2f1f0e-0000-4000-8000-000000000001';
  const text = laravel.encode(payload({ ...limits, id, job: 'App\\Jobs\\X@handle', dueAt: 1_005_000 }));
  expect(JSON.parse(text)).toEqual({
    uuid: id,
    displayName: 'App\\Jobs\\X',
    job: 'App\\Jobs\\X@handle',
    maxTries: 3,
    maxExceptions: null,
    failOnTimeout: false,
    backoff: '1,5',
    timeout: 2,
    retryUntil: 9,
    data: '',
    createdAt: 1000,
    delay: 5,
  });
  expect(laravel.decode(text)).toEqual({
    payload: { ...payload({ ...limits, id, timeout: 2, dueAt: 1_005_000 }), job: 'App\\Jobs\\X@handle' },
  });
  expect(() => laravel.encode(payload({ backoff: 'exponential' }))).toThrow('has no place in');
  for (const format of [thinkQueue3Rows, thinkQueue1Rows, laravel]) {
    for (const broken of ['not json', '0', '[]', 'null', '{}'])
      expect(format.decode(broken)).toHaveProperty('problem');
  }
});

test.each<[string, Partial<DatabaseOptions>, string]>([
  ['a wire that there is not', { wire: 'think-2' as never }, 'wire: "think-2" is none'],
  [
    'a lease of part of a second',
    { wire: 'think-3', lease: '1500ms' },
    'lease: 1500 ms are no whole seconds',
  ],
  ['a time zone without a wire', { timeZone: 'UTC' }, 'timeZone: is about tables of PHP'],
  [
    'a time zone that there is not',
    { wire: 'laravel', timeZone: 'Mars/Base' },
    'timeZone: "Mars/Base" is no',
  ],
])('%s is refused', (_what, options, message) => {
  expect(() => database({ url, ...options })).toThrow(message);
});

test.each([
  ['UTC', '2026-11-20 23:33:50', '2026-11-20T23:33:50Z'],
  ['Asia/Shanghai', '2026-11-21 07:33:50', '2026-11-20T23:33:50Z'],
  ['America/New_York', '2026-07-01 00:00:00', '2026-07-01T04:00:00Z'],
  ['Europe/Berlin', '2026-10-25 02:30:00', '2026-10-25T00:30:00Z'], // comes twice: the first
  ['Europe/Berlin', '2026-10-25 03:30:00', '2026-10-25T02:30:00Z'],
])('in %s it is %s at %s', (zone, text, iso) => {
  const time = new LocalTime(zone);
  expect(new Date(time.msOf(text)).toISOString()).toBe(iso.replace('Z', '.000Z'));
  expect(time.textOf(Date.parse(iso))).toBe(text);
});

test.each([
  ['{"job":"x","attempts":3}', '{"job":"x","attempts":0}'],
  ['{ "attempts" : 12 , "big":9223372036854775807}', '{ "attempts" : 0 , "big":9223372036854775807}'],
  ['{"job":"x","data":{"attempts":3}}', '{"job":"x","data":{"attempts":3}}'],
  ['{"data":"{\\"attempts\\":3}\\\\","attempts":1}', '{"data":"{\\"attempts\\":3}\\\\","attempts":0}'],
  ['{"job":"attempts","data":["attempts",1]}', '{"job":"attempts","data":["attempts",1]}'],
  ['not json', 'not json'],
])('the attempts of %s are set back', (before, after) => {
  expect(withAttemptsReset(before)).toBe(after);
});

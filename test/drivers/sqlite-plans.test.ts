import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteFailedStatements } from '../../drivers/database/dialects/sqlite-failed-statements.js';
import { sqliteJobStatements } from '../../drivers/database/dialects/sqlite-job-statements.js';
import { SqliteJobs } from '../../drivers/database/dialects/sqlite-jobs.js';
import { sqliteLook } from '../../drivers/database/dialects/sqlite-looks.js';
import { SqliteSandbox } from '../support/sqlite.js';

const sandbox = new SqliteSandbox();
const jobs = sqliteJobStatements('jobs');
const failed = sqliteFailedStatements('failed_jobs');
let raw: Database.Database;

/** 100,000 jobs of a queue that are not due, 50,000 due ones of others, and 3 that are wanted. */
beforeAll(async () => {
  const file = sandbox.newFile();
  await sandbox.open(file).migrate();
  raw = new Database(file);
  raw.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
    INSERT INTO jobs (job_id, queue, attempts, available_at, created_at, due_at, payload)
    SELECT 'job-' || i,
           CASE WHEN i <= 100000 THEN 'mail' ELSE 'other-' || (i % 50) END,
           0,
           CASE WHEN i <= 100000 THEN 2000000 + i ELSE 1 END,
           0, 0, '{}'
    FROM n;
    INSERT INTO jobs (job_id, queue, attempts, available_at, created_at, due_at, payload)
    VALUES ('due-1', 'mail', 0, 1, 0, 0, '{}'), ('due-2', 'mail', 0, 2, 0, 0, '{}'),
           ('due-3', 'mail', 0, 3, 0, 0, '{}');`);
}, 60_000);

afterAll(async () => {
  raw.close();
  await sandbox.clean();
});

const bound = {
  id: 'a',
  dueAt: 1,
  payload: '{}',
  now: 1_000_000,
  leaseEnd: 1_090_000,
  queue: 'mail',
  limit: 10,
  token: 't',
  leases: '[[1,"t",0]]',
  queues: '["mail","other-1"]',
  signals: '["a","b"]',
  ids: '["a"]',
  uuids: '["a"]',
  uuid: 'a',
  before: 1,
  connection: null,
  name: null,
  since: null,
  until: null,
  offset: 0,
};

function planOf(sql: string): string[] {
  const byPlace = [...sql.matchAll(/\?/g)].map(() => 1);
  const rows = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(byPlace, bound) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

const byKey = 'SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)';
const scanOfLeases = /^SCAN (?:json_each|lease) VIRTUAL TABLE/;

test('reserve goes by one range of the index, without a sort, and by row id', () => {
  expect(planOf(jobs.due)).toEqual(['SEARCH jobs USING INDEX jobs_due (queue=? AND available_at<?)']);
  expect(planOf(jobs.take)).toEqual([byKey]);
});

test('a look reads the head of each queue from the index, and the signals by their key', () => {
  const sql = sqliteLook('jobs', 'queue_signals');
  const onTables = planOf(sql).filter((detail) => / (?:jobs|queue_signals)\b/.test(detail));
  expect(onTables).toEqual([
    'SEARCH jobs USING COVERING INDEX jobs_due (queue=?)',
    expect.stringMatching(/^SEARCH queue_signals USING (?:COVERING )?INDEX \S+ \(name=\?\)$/),
  ]);
  expect(planOf(sql).filter((detail) => /TEMP B-TREE FOR ORDER/.test(detail))).toEqual([]);
});

test('without the index a look would read the whole table', () => {
  raw.exec('SAVEPOINT plans; DROP INDEX jobs_due');
  expect(planOf(sqliteLook('jobs', 'queue_signals')).join()).toMatch(/SCAN jobs|AUTOMATIC/);
  raw.exec('ROLLBACK TO plans; RELEASE plans');
});

test.each(['extend', 'delete', 'release', 'postpone', 'releaseThrown', 'unreserve'] as const)(
  '%s goes by row id',
  (verb) => {
    const plan = planOf(jobs[verb]);
    const onJobs = plan.filter((detail) => / jobs\b/.test(detail));
    expect(onJobs).toEqual([byKey]);
    const scans = plan.filter((detail) => detail.startsWith('SCAN'));
    for (const scan of scans) expect(scan).toMatch(scanOfLeases);
  },
);

test.each([
  ['size', jobs.size],
  ['clear of ready jobs', jobs.clearReady],
  ['clear of delayed jobs', jobs.clearDelayed],
  ['clear of reserved jobs', jobs.clearReserved],
])('%s stays within its queue', (_, sql) => {
  const plan = planOf(sql);
  const searches = plan.filter((detail) => / jobs\b/.test(detail));
  for (const search of searches) {
    expect(search).toMatch(
      /^SEARCH jobs USING (?:COVERING )?INDEX jobs_due \(queue=\? AND available_at[<>]\?\)/,
    );
  }
  expect(searches.length).toBeGreaterThan(0);
});

test.each([
  ['find', failed.find],
  ['read', failed.read],
  ['forget', failed.forget],
  ['list', failed.list],
  ['flush of old ones', failed.flushBefore],
])('%s of failed jobs goes by an index', (_, sql) => {
  const scans = planOf(sql).filter((detail) => detail.startsWith('SCAN failed_jobs'));
  expect(scans).toEqual([]);
});

test('listing failed jobs needs no sort', () => {
  expect(planOf(failed.list)).toEqual([
    'SEARCH failed_jobs USING INDEX failed_jobs_failed_at (failed_at>? AND failed_at<?)',
  ]);
});

test('the plans of the hot verbs stay when SQLite has gathered statistics', () => {
  const hot = [
    sqliteLook('jobs', 'queue_signals'),
    jobs.due,
    jobs.take,
    jobs.extend,
    jobs.delete,
    jobs.release,
    jobs.unreserve,
  ];
  const before = hot.map(planOf);
  raw.exec('ANALYZE');
  expect(hot.map(planOf)).toEqual(before);
});

test('a reserve takes the due jobs only', () => {
  const table = new SqliteJobs('jobs', { now: () => bound.now });
  const taken = table.reserve(raw, ['mail'], 10, 90_000);
  expect(taken.map(({ id }) => id)).toEqual(['due-1', 'due-2', 'due-3']);
  const { changed } = raw
    .prepare('SELECT count(*) AS changed FROM jobs WHERE lease_token IS NOT NULL')
    .get() as {
    changed: number;
  };
  expect(changed).toBe(3);
});

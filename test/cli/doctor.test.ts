import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { diagnosisText, findingObject, summaryText } from '../../cli/diagnosis-view.js';
import { createOutput } from '../../cli/output.js';
import { CliProject } from '../support/cli.js';
import { configText, sqliteProject } from './project.js';

const projects: CliProject[] = [];

function setUp(project: CliProject = sqliteProject()): CliProject {
  projects.push(project);
  return project;
}

afterEach(async () => {
  await Promise.all(projects.splice(0).map((project) => project.remove()));
});

const served = ['--queue', 'default,mail'];

describe('queue:doctor', () => {
  test('exit 0: all is well', async () => {
    const project = setUp();
    await project.must('migrate');
    const { code, stdout } = await project.run('queue:doctor', ...served);
    expect(stdout).toMatch(/^connection main\n {2}ok {7}job-files +\d+ jobs defined\n/);
    expect(stdout).toMatch(/\n {2}ok {7}schema +the tables are current/);
    expect(stdout).toMatch(/\n\nall is well\n$/);
    expect(code).toBe(0);
  });

  test('exit 1: warnings, each with what to change', async () => {
    const project = setUp();
    await project.must('migrate');
    await project.push('ok');
    const { code, stdout } = await project.run('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/warning {2}served .*queue mail, to which mail\.send/);
    expect(stdout).toMatch(
      /warning {2}workers .*1 job of queue default waits, and no worker.*\n +fix: Start one: drover queue:work --connection main --queue default\n/,
    );
    expect(stdout).toMatch(/\n\n2 warnings\n$/);
  });

  test('a queue whose worker lives is well; once it was killed, it is one without a worker', async () => {
    const project = setUp(sqliteProject("worker: { heartbeat: '100ms' },"));
    await project.must('migrate');
    await project.push('waits');
    await project.push('ok');
    const worker = project.start(['work', '--workers=0', '--json']);
    await worker.line({ event: 'job:started' });
    const workers = async () =>
      (await project.run('doctor', '--json', ...served)).lines.filter(({ check }) => check === 'workers');
    expect(await workers()).toMatchObject([
      { status: 'ok', message: expect.stringContaining('default 1/0/1') },
    ]);
    worker.kill('SIGKILL');
    await expect
      .poll(workers)
      .toMatchObject([{ status: 'warning', fix: expect.stringContaining('queue:work') }]);
  });

  test('exit 2: errors', async () => {
    const project = setUp();
    await project.must('migrate');
    const database = new Database(project.path('queue.sqlite'));
    database.exec('DROP INDEX jobs_job_id_queue');
    database.close();
    const { code, lines } = await project.run('doctor', '--json', ...served);
    expect(code).toBe(2);
    expect(lines.filter(({ status }) => status !== 'ok')).toEqual([
      {
        connection: 'main',
        check: 'indexes',
        status: 'error',
        message: expect.stringContaining('(job_id, queue)'),
        fix: 'Run: CREATE UNIQUE INDEX jobs_job_id_queue ON jobs (job_id, queue)',
      },
    ]);
  });

  test("a lease that does not outlast the workers' --timeout: both numbers, and the setting to change", async () => {
    const project = setUp();
    await project.must('migrate');
    const { code, stdout } = await project.run('doctor', '--timeout', '2h', ...served);
    expect(code).toBe(2);
    expect(stdout).toMatch(
      /error {4}lease .*90 s .*7200 s.*\n +fix: Set the connection's lease above 7205 s/,
    );
    expect((await project.run('doctor', '--timeout', '80s', ...served)).code).toBe(0);
  });

  test('it makes no tables', async () => {
    const project = setUp();
    const { code, lines } = await project.run('doctor', '--json', ...served);
    expect(code).toBe(1);
    expect(lines.filter(({ status }) => status === 'warning')).toMatchObject([{ check: 'schema' }]);
    const database = new Database(project.path('queue.sqlite'));
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
    database.close();
  });

  test('job files that cannot be loaded are a finding, and the rest is looked at', async () => {
    const project = setUp(
      new CliProject({
        'drover.config.mjs': configText(),
        'jobs/broken.mjs': 'throw new Error("no\\u001b[2Jsuch")',
      }),
    );
    const { code, stdout } = await project.run('doctor');
    expect(code).toBe(2);
    expect(stdout).toMatch(/error {4}job-files .*jobs\/broken\.mjs: no\\x1b\[2Jsuch/);
    expect(stdout).toContain('schema');
  });

  test('several connections, each by its name; one that is not there: exit 2', async () => {
    const project = setUp();
    await project.must('migrate');
    const { lines } = await project.run('doctor', 'sync', 'main', '--json');
    expect(new Set(lines.map(({ connection }) => connection))).toEqual(new Set(['sync', 'main']));
    const wrong = await project.run('doctor', 'nowhere');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('E_CONNECTION_UNKNOWN');
    expect(existsSync(project.path('nowhere'))).toBe(false);
  });
});

test('what a store says is shown as one harmless line, without credentials', () => {
  const { colors } = createOutput({ stdout: process.stdout, env: { NO_COLOR: '1' } }, false);
  const message = 'redis://:s3cr3t@h\x1b]0;x\x07\n  ok  fake';
  const finding = { check: 'store', status: 'error', message, fix: 'mend \x9b redis://:s3cr3t@h' } as const;
  expect(diagnosisText({ connection: 'a\nb', findings: [finding] }, colors)).toBe(
    'connection a\\nb\n  error    store  redis://***@h\\x1b]0;x\\x07\\n  ok  fake\n' +
      '                  fix: mend \\x9b redis://***@h',
  );
  expect(JSON.stringify(findingObject('a', finding))).not.toContain('s3cr3t');
});

test.each([
  [[], 'all is well'],
  [['ok', 'warning'], '1 warning'],
  [['error', 'warning', 'error', 'warning'], '2 errors, 2 warnings'],
] as const)('%j: %s', (statuses, text) => {
  expect(summaryText(statuses.map((status) => ({ check: 'c', status, message: 'm' })))).toBe(text);
});

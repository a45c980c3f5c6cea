import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

const classesText = `
export class Dismiss {
  fire() {}
  task1() {}
  failed() {}
}
export class Methods {
  static tasks = ['only'];
  only() {}
}
`;

let project: CliProject;

beforeAll(() => {
  project = sqliteProject();
});

afterAll(() => project.remove());

describe('queue:push', () => {
  test('tells id, name, queue and connection', async () => {
    const { stdout } = await project.must('push', 'ok', '--id', 'my-1');
    expect(stdout).toBe('pushed  ok  my-1  queue=default connection=main\n');
    const { lines } = await project.must('queue:push', 'mail.send', '--json');
    expect(lines).toEqual([
      { id: expect.any(String), name: 'mail.send', queue: 'mail', connection: 'main', stored: true },
    ]);
    expect(await project.size('mail')).toMatchObject({ ready: 1 });
  });

  test('a job whose id is stored already is said to be there, and stays as it is', async () => {
    await project.must('push', 'ok', '--id', 'twice', '--queue', 'twice');
    const again = ['push', 'ok', '--id', 'twice', '--queue', 'twice', '--delay', '1h'];
    const { stdout } = await project.must(...again);
    expect(stdout).toBe('already there  ok  twice  queue=twice connection=main\n');
    const { lines } = await project.must(...again, '--json');
    const place = { name: 'ok', queue: 'twice', connection: 'main' };
    expect(lines).toEqual([{ id: 'twice', ...place, stored: false }]);
    expect(await project.size('twice')).toMatchObject({ ready: 1, delayed: 0 });
  });

  test('data from the flag, a file and stdin arrives as it is', async () => {
    project.write('data.json', '{"from":"a file"}');
    await project.must('push', 'ok', '--queue', 'data', '--data', '{"a.b":"--x","n":5}');
    await project.must('push', 'ok', '--queue', 'data', '--data', '@data.json');
    for (const flag of [['--data', '-'], ['--data=-']]) {
      const { exited } = project.start(['push', 'ok', '--queue', 'data', ...flag], { stdin: '"from stdin"' });
      expect(await exited).toMatchObject({ code: 0 });
    }
    await project.must('work', '--queue', 'data', '--stop-when-empty');
    expect(project.read('ran').split('\n')).toEqual([
      '{"a.b":"--x","n":5}',
      '{"from":"a file"}',
      '"from stdin"',
      '"from stdin"',
      '',
    ]);
  });

  test('with a delay it tells when the job is due', async () => {
    const inTime = async (...flags: string[]) =>
      (await project.must('push', 'ok', '--queue', 'due', ...flags)).stdout;
    const when = String.raw`(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d`;
    expect(await inTime('--delay', '83m')).toMatch(
      new RegExp(`queue=due connection=main  due ${when} \\(in 1 h 23 min\\)\n$`),
    );
    expect(await inTime('--at', '2999-12-24T18:00:00Z')).toMatch(/ {2}due 2999-12-2\d \d\d:00:00 \(in \d+ d/);
    for (const flags of [[], ['--delay', '0'], ['--at', '2020-01-01']]) {
      expect(await inTime(...flags)).not.toContain('  due ');
    }
    const { lines } = await project.must('push', 'ok', '--json', '--at', '2999-12-24T18:00:00Z');
    expect(lines).toEqual([
      {
        id: expect.any(String),
        name: 'ok',
        queue: 'default',
        connection: 'main',
        stored: true,
        dueAt: '2999-12-24T18:00:00.000Z',
      },
    ]);
    const before = Date.now();
    const dueAt = (await project.must('push', 'ok', '--json', '--delay', '10m')).lines[0]?.dueAt;
    expect(Date.parse(String(dueAt))).toBeGreaterThanOrEqual(before + 600_000);
    expect(Date.parse(String(dueAt))).toBeLessThanOrEqual(Date.now() + 600_000);
    // A sync connection has run it by then.
    expect((await project.must('push', 'ok', '--connection', 'sync', '--delay', '10m')).stdout).not.toContain(
      '  due ',
    );
  });

  test('--delay and --at put it off, --tries and --timeout travel with it', async () => {
    await project.must('push', 'ok', '--queue', 'later', '--delay', '10m');
    await project.must('push', 'ok', '--queue', 'later', '--at', '2999-12-24T18:00:00Z');
    await project.must('push', 'ok', '--queue', 'later', '--at', '2020-01-01');
    expect(await project.size('later')).toMatchObject({ ready: 1, delayed: 2 });
    await project.must('push', 'fail', '--queue', 'once', '--tries', '1', '--timeout', '5');
    const { lines } = await project.must('work', '--queue', 'once', '--once', '--json');
    expect(lines).toContainEqual(expect.objectContaining({ event: 'job:failed', reason: 'max-tries' }));
  });

  test('--retry-until travels with it, as a span or a time', async () => {
    await project.must('push', 'ok', '--retry-until', '1h', '--queue', 'until');
    await project.must('push', 'ok', '--retry-until', '2020-01-01T00:00:00Z', '--queue', 'until');
    expect(await project.run('push', 'ok', '--retry-until', 'soon')).toMatchObject({ code: 2 });
    const queue = await project.queue();
    await queue.worker({ queues: ['until'], stopWhenEmpty: true }).run();
    const [record, ...others] = await queue.failed.list({ queue: 'until' });
    expect(record).toMatchObject({
      reason: 'retry-until',
      payload: expect.stringContaining('"timeoutAt":1577836800,'),
    });
    expect(others).toEqual([]);
  });

  test('a job name that no file defines: exit 2 with the near one, and --force pushes it all the same', async () => {
    const { code, stderr } = await project.run('push', 'mail.sned');
    expect(code).toBe(2);
    expect(stderr).toContain('error E_JOB_UNKNOWN: no job file defines a job mail.sned');
    expect(stderr).toContain('Did you mean mail.send?');
    expect(await project.must('push', 'mail.sned', '--force', '--queue', 'php')).toMatchObject({ code: 0 });
  });

  test.each([
    ['Dismiss@task9', 'job Dismiss has no method task9 to run', 'Did you mean Dismiss@task1?'],
    ['Dismiss@failed', 'no method failed', 'It offers Dismiss@fire, Dismiss@task1.'],
    ['Dismiss@constructor', 'no method constructor', 'It offers Dismiss@fire'],
    ['Dismiss@toString', 'no method toString', 'It offers Dismiss@fire'],
    ['mail.send@task1', 'job mail.send has no method task1', 'It is no class: push mail.send.'],
    ['Methods', 'job Methods has no method fire', 'It offers Methods@only.'],
  ])('%s, which its class does not offer: exit 2, and --force pushes it', async (name, says, fix) => {
    project.write('jobs/classes.mjs', classesText);
    const { code, stdout, stderr } = await project.run('push', name, '--queue', 'methods');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error E_JOB_UNKNOWN: /);
    expect(stderr).toContain(says);
    expect(stderr).toContain(fix);
    await project.must('push', name, '--queue', 'methods', '--force');
  });

  test('methods that the class does offer are pushed', async () => {
    project.write('jobs/classes.mjs', classesText);
    for (const name of ['Dismiss', 'Dismiss@fire', 'Dismiss@task1', 'Methods@only']) {
      await project.must('push', name, '--queue', 'offered');
    }
    expect(await project.size('offered')).toMatchObject({ ready: 4 });
  });

  test.each([
    [['--data', '{bad'], '--data: no JSON at position 1 (line 1, column 2)'],
    [['--data', '{"a":1'], 'position 6 (line 1, column 7): the end cannot stand there'],
    [['--data', '@broken.json'], 'broken.json is no JSON at position 15 (line 3, column 1)'],
    [['--data', '@nowhere.json'], 'nowhere.json cannot be read'],
    [['--delay', '1', '--at', '2026-12-24T18:00:00Z'], 'delay and at exclude each other'],
    [['--at', 'tomorrow'], "--at: 'tomorrow' is not a point in time"],
    [['--at', '2026-02-30'], "--at: '2026-02-30' is not a point in time"],
    [['--id', 'a b'], "--id: 'a b' cannot be the id of a job"],
    [['--queue', 'a b'], 'E_QUEUE_NAME'],
  ])('%j is refused with exit 2', async (flags, says) => {
    project.write('broken.json', '{\n  "a": true,\n}');
    const { code, stdout, stderr } = await project.run('push', 'ok', ...flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  test('a name that cannot be one: exit 2', async () => {
    const { code, stderr } = await project.run('push', '../etc', '--force');
    expect(code).toBe(2);
    expect(stderr).toContain('E_JOB_NAME');
  });

  test('on a sync connection it runs the job, whose error is the exit code 1', async () => {
    const { stdout } = await project.must('push', 'ok', '--connection', 'sync', '--id', 'now');
    expect(stdout).toBe('ran  ok  now  queue=default connection=sync\n');
    const failed = await project.run('push', 'fail', '--connection', 'sync');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toBe('error E_JOB_FAILED: job fail failed: TypeError: no such luck\n');
  });

  test('on a memory connection it says that the job is gone', async () => {
    const { code, stderr } = await project.run('push', 'ok', '--connection', 'memory');
    expect(code).toBe(0);
    expect(stderr).toContain('a memory connection forgets its jobs');
  });
});

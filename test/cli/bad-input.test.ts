import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { CliProject, type Result } from '../support/cli.js';
import { configText, sqliteProject } from './project.js';

let project: CliProject;

afterEach(() => project.remove());

/** What an operator reads: one error with its code, one fix, and no stack trace. */
function expectOneClearError(result: Result, code: string, exit: number, names: string | RegExp): void {
  expect(result.stderr).toMatch(new RegExp(`^error ${code}: `, 'm'));
  expect(result.stderr).toMatch(names);
  expect(result.stderr).toMatch(/^ *fix: \S/m);
  expect(result.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(result.code).toBe(exit);
}

describe('what the store holds', () => {
  test('a job that nobody knows is tried again, then kept with its name', async () => {
    project = sqliteProject('worker: { unknownJobPatience: 0 },');
    const id = await project.push('nobody.knows', { a: 1 }, { tries: 2, backoff: '50ms' });
    const worked = await project.must('work', '--stop-when-empty', '--json');
    expect(worked.lines.filter((line) => line.id === id)).toMatchObject([
      { event: 'job:released', attempts: 1, error: { message: 'no job is registered as nobody.knows' } },
      { event: 'job:failed', attempts: 2, reason: 'unknown-job' },
    ]);
    const [record] = (await project.must('failed', '--json')).lines;
    expect(record).toMatchObject({ id, name: 'nobody.knows', reason: 'unknown-job' });
  });

  test.each([
    ['no JSON at all', '{"job":"ok",'],
    ['an array', '[]'],
    ['no job name', '{"data":1}'],
    ['a path as job name', '{"job":"../../etc/passwd"}'],
    ['tries of the wrong type', '{"job":"ok","maxTries":"many"}'],
  ])('a payload with %s is kept raw, on first sight, and its neighbours run', async (_, payload) => {
    project = sqliteProject();
    await project.push('ok', 1);
    const broken = await project.push('ok', 2);
    await project.push('ok', 3);
    const db = new Database(project.path('queue.sqlite'));
    db.prepare('UPDATE jobs SET payload = ? WHERE job_id = ?').run(payload, broken);
    db.close();
    const worked = await project.must('work', '--stop-when-empty', '--json');
    expect(worked.lines.filter((line) => line.event === 'job:failed')).toMatchObject([
      { id: broken, attempts: 1, reason: 'bad-payload' },
    ]);
    expect(project.read('ran')).toBe('1\n3\n');
    expect((await (await project.queue()).failed.list())[0]?.payload).toBe(payload);
  });
});

describe('the store itself', () => {
  test('a table that is missing', async () => {
    project = sqliteProject();
    await project.push('ok');
    const db = new Database(project.path('queue.sqlite'));
    db.exec('DROP TABLE jobs');
    db.close();
    for (const command of [['work', '--once'], ['size'], ['push', 'ok']]) {
      expectOneClearError(await project.run(...command), 'E_STORE_SCHEMA', 2, /jobs/);
    }
  });

  test('a file that is no database is refused and left as it is', async () => {
    project = sqliteProject();
    writeFileSync(project.path('queue.sqlite'), 'these are my notes, not a database'.repeat(40));
    const before = readFileSync(project.path('queue.sqlite'));
    for (const command of [['work'], ['size'], ['push', 'ok']]) {
      expectOneClearError(await project.run(...command), 'E_STORE_CORRUPT', 69, /queue\.sqlite/);
    }
    expect(readFileSync(project.path('queue.sqlite'))).toEqual(before);
  });

  test('a damaged database: what was pushed is still in the file', async () => {
    project = sqliteProject();
    for (let n = 0; n < 200; n++) await project.push('ok', n);
    await (await project.queue()).close();
    const file = project.path('queue.sqlite');
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4096); // all but the first page
    writeFileSync(file, bytes);
    expectOneClearError(await project.run('work', '--once'), 'E_STORE_CORRUPT', 69, /queue\.sqlite/);
    expect(readFileSync(file)).toEqual(bytes);
  });

  test('a place where no file can be', async () => {
    project = new CliProject({
      'drover.config.mjs': configText().replace('/queue.sqlite', '/package.json/queue.sqlite'),
    });
    const result = await project.run('push', 'ok', '--force');
    expect(result.stderr).toMatch(/^error E_STORE_\w+: .*package\.json/m);
    expect(result.stderr).toMatch(/^ *fix: /m);
    expect(result.code).toBe(69);
  });

  test('a database that must not be written: nothing is taken and nothing lost', async () => {
    project = sqliteProject();
    await project.push('ok');
    await (await project.queue()).close();
    const db = new Database(project.path('queue.sqlite'));
    // As root may write whatever the file's mode says, the database itself refuses.
    db.exec(
      "CREATE TRIGGER no_writing BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly database'); END",
    );
    db.close();
    const result = await project.run('work', '--once');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/^error /m);
    const after = new Database(project.path('queue.sqlite'), { readonly: true });
    expect(after.prepare('SELECT attempts, reserved_at FROM jobs').all()).toEqual([
      { attempts: 0, reserved_at: null },
    ]);
    after.close();
  });
});

describe('the project', () => {
  test('a config with three mistakes: three lines, and no store is made', async () => {
    project = new CliProject({
      'drover.config.mjs': `
        import { database } from 'drover/drivers/database';
        export default {
          defualt: 'main',
          connections: { main: database('sqlite:./queue.sqlite') },
          worker: { concurency: 2, timeout: '5 minutes' },
        };`,
    });
    const result = await project.run('work', '--once');
    expect(result.stderr).toMatch(/E_CONFIG.*3 problems/);
    expect(result.stderr).toMatch(/^ {2}defualt: .*did you mean default\?$/m);
    expect(result.stderr).toMatch(/^ {2}worker\.concurency: .*did you mean concurrency\?$/m);
    expect(result.stderr).toMatch(/^ {2}worker\.timeout: /m);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.code).toBe(2);
    expect(existsSync(project.path('queue.sqlite'))).toBe(false);
  });

  test('a job file that throws on import: named with its line, and no job is taken', async () => {
    project = sqliteProject();
    await project.push('ok');
    project.write('jobs/broken.mjs', 'const settings = undefined;\nexport const key = settings.key;\n');
    const result = await project.run('work', '--once');
    expectOneClearError(result, 'E_JOB_FILE', 2, /jobs\/broken\.mjs:2/);
    expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });
});

describe('a worker without a single job takes none and spends no try', () => {
  const refused = async (args: string[], says: RegExp) => {
    const before = await project.size();
    const result = await project.run(...args);
    expectOneClearError(result, 'E_USAGE', 2, says);
    expect(result.stdout).toBe('');
    expect(await project.size()).toEqual(before);
  };

  test('globs that match nothing', async () => {
    project = new CliProject({
      'drover.config.mjs': configText().replace('./jobs/*.mjs', './jbos/*.mjs'),
      'jobs/ok.mjs':
        "import { defineJob } from 'drover';\nexport default defineJob({ name: 'ok', handle() {} });",
    });
    await project.push('ok');
    await refused(['work', '--once'], /no job files were found for \.\/jbos\/\*\.mjs in \//);
    // Such a process is what queue:listen starts for each job.
    await refused(['work', '--once', '--report-to-parent'], /no job files were found/);
    expect(await project.size()).toEqual({ ready: 1, delayed: 0, reserved: 0 });
  });

  test('another working directory, where there is no config either', async () => {
    project = new CliProject();
    const result = await project.run('work', '--once');
    const says = /no job files were found for \.\/jobs\/.*\n {2}fix: Start it in the project's folder/;
    expectOneClearError(result, 'E_USAGE', 2, says);
    expect([result.stdout, existsSync(project.path('drover.sqlite'))]).toEqual(['', false]);
  });

  describe('and no store to look at: nothing is made, nor called well', () => {
    test.each([
      'size',
      'monitor --max 1',
      'pause',
      'resume mail',
      'failed',
      'list',
      'workers',
      'retry all',
      'flush --force',
      'restart',
      'listen',
      'doctor',
      'doctor database',
    ])('queue:%s', async (line) => {
      project = new CliProject();
      const result = await project.run(...`queue:${line}`.split(' '));
      const says =
        /there is no config and no drover\.sqlite in \/.*\n {2}fix: Run it in the project's folder, name its/;
      expectOneClearError(result, 'E_CONFIG', 2, says);
      expect([result.stdout, existsSync(project.path('drover.sqlite'))]).toEqual(['', false]);
    });

    test('but where the file is there, or something names another store, it is looked at', async () => {
      project = new CliProject();
      const env = { DATABASE_URL: 'sqlite:./other.sqlite' };
      expect(await project.start(['size'], { env }).exited).toMatchObject({ code: 0 });
      await project.must('size', '--connection', 'memory');
      await project.must('table');
      expect(existsSync(project.path('drover.sqlite'))).toBe(false);
      await project.must('migrate');
      await project.must('size');
    });
  });

  test('a config without jobs', async () => {
    project = new CliProject({ 'drover.config.mjs': configText().replace(/jobs: .*/, '') });
    await refused(['work', '--once'], /there is nothing to run: .*drover\.config\.mjs has no `jobs`/);
  });
});

describe('what handlers throw', () => {
  test.each([
    ['undefined', 'throw undefined', 'NonErrorThrown', 'undefined'],
    ['a string', "throw 'plain text'", 'NonErrorThrown', 'plain text'],
    ['null', 'throw null', 'NonErrorThrown', 'null'],
    [
      'an object whose getters throw',
      'throw { get message() { throw 1 }, get stack() { throw 2 }, get cause() { throw 3 } }',
      'NonErrorThrown',
      '',
    ],
    [
      'an error whose getters throw',
      'throw new (class extends Error { get message() { throw 1 } get name() { throw 2 } get cause() { throw 3 } })()',
      'Error',
      '',
    ],
    ['a rejected undefined', 'return Promise.reject()', 'NonErrorThrown', 'undefined'],
    ['a message of 5 MB', "throw new RangeError('x'.repeat(5_000_000) + '\\0')", 'RangeError', 'xxx'],
    [
      'itself as cause',
      "const error = new Error('round'); error.cause = error; throw error",
      'Error',
      'round',
    ],
  ])('%s: the job is kept, the text is bounded, the worker goes on', async (_, code, errorClass, message) => {
    project = sqliteProject();
    project.write(
      'jobs/throws.mjs',
      `import { defineJob } from 'drover';
      export const throws = defineJob({ name: 'throws', tries: 1, handle() { ${code} } });`,
    );
    const id = await project.push('throws');
    await project.push('ok', 'after');
    const worked = await project.must('work', '--stop-when-empty', '--json');
    expect(worked.lines.map((line) => line.event)).toContain('job:failed');
    expect(project.read('ran')).toBe('"after"\n');
    const [record] = await (await project.queue()).failed.find([id]);
    expect(record).toMatchObject({ errorClass, reason: 'max-tries', attempts: 1 });
    expect(record?.message).toContain(message);
    expect(record?.message.length).toBeLessThan(9_000);
    expect(JSON.stringify(record)).not.toContain('\\u0000');
    const listed = await project.must('failed');
    expect(Math.max(...listed.stdout.split('\n').map((line) => line.length))).toBeLessThan(400);
  });
});

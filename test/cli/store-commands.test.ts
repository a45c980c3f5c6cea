import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliProject, CliProject as Project } from '../support/cli.js';
import { configText, sqliteProject } from './project.js';

let project: CliProject;

beforeAll(() => {
  project = sqliteProject();
});

afterAll(() => project.remove());

describe('queue:size', () => {
  test('counts the queue of the connection, or those that are named', async () => {
    await project.push('ok');
    await project.push('ok', null, { queue: 'slow', delay: '1h' });
    const { stdout } = await project.must('queue:size');
    expect(stdout).toBe('queue    ready  delayed  reserved\ndefault      1        0         0\n');
    const { lines } = await project.must('size', 'slow', 'default', '--json');
    expect(lines).toEqual([
      { connection: 'main', queue: 'slow', ready: 0, delayed: 1, reserved: 0, paused: false },
      { connection: 'main', queue: 'default', ready: 1, delayed: 0, reserved: 0, paused: false },
    ]);
  });

  test('job files are not loaded for it', async () => {
    const own = new Project({
      'drover.config.mjs': configText(),
      'jobs/broken.mjs': 'throw new Error("loaded")',
    });
    expect(await own.run('size')).toMatchObject({ code: 0 });
    const { code, stderr } = await own.run('work', '--once');
    expect(code).toBe(2);
    expect(stderr).toContain('error E_JOB_FILE: could not load jobs/broken.mjs: loaded');
    await own.remove();
  });
});

describe('queue:clear', () => {
  test('removes what waits, and what runs only when told to', async () => {
    await project.push('waits', null, { queue: 'clear' });
    await project.push('ok', null, { queue: 'clear' });
    await project.push('ok', null, { queue: 'clear', delay: '1h' });
    const worker = project.start(['work', '--queue', 'clear', '--once', '--json']);
    await worker.line({ event: 'job:started' });
    const { stdout } = await project.must('clear', 'clear', '--force');
    expect(stdout).toBe('removed 1 ready and 1 delayed jobs of queue clear of connection main\n');
    const { lines } = await project.must('queue:clear', 'clear', '--force', '--reserved', '--json');
    expect(lines).toEqual([
      { connection: 'main', queue: 'clear', removed: { ready: 0, delayed: 0, reserved: 1 } },
    ]);
    project.write('go', '');
    const { code, lines: events } = await worker.exited;
    expect(code).toBe(0);
    expect(events).toContainEqual(expect.objectContaining({ event: 'job:lost' }));
  });

  test('without --force and without a terminal: exit 2, nothing removed', async () => {
    await project.push('ok', null, { queue: 'kept' });
    const { code, stderr } = await project.run('clear', 'kept');
    expect(code).toBe(2);
    expect(stderr).toContain('--force');
    expect(await project.size('kept')).toMatchObject({ ready: 1 });
  });
});

describe('queue:migrate', () => {
  test('tells what it applied, and that there is nothing to apply', async () => {
    const own = sqliteProject('', 'autoMigrate: false');
    const before = await own.run('size');
    expect(before.code).toBe(2);
    expect(before.stderr).toMatch(/^error E_STORE_SCHEMA: .*\n {2}fix: .*queue:migrate/);
    const { stdout } = await own.must('queue:migrate');
    expect(stdout).toMatch(/^applied \S*jobs/);
    expect((await own.must('migrate')).stdout).toBe('the schema of connection main is current\n');
    expect((await own.must('migrate', 'main', '--json')).lines).toEqual([
      { connection: 'main', applied: [] },
    ]);
    expect(await own.run('size')).toMatchObject({ code: 0 });
    await own.remove();
  });
});

describe('the schema as SQL', () => {
  test('queue:migrate --dry-run prints what it would run, which does the same', async () => {
    const own = sqliteProject('', 'autoMigrate: false');
    const { stdout } = await own.must('queue:migrate', '--dry-run');
    expect((await own.run('size')).code).toBe(2);
    const db = new Database(own.path('queue.sqlite'));
    db.exec(stdout);
    db.close();
    expect((await own.must('queue:migrate')).stdout).toBe('the schema of connection main is current\n');
    expect((await own.must('migrate', '--dry-run')).stdout).toBe('-- nothing to do: the schema is current\n');
    expect((await own.must('migrate', '--dry-run', '--json')).lines).toEqual([]);
    expect(await own.run('size')).toMatchObject({ code: 0 });
    await own.remove();
  });

  test('queue:table prints it for any dialect, and connects to nothing', async () => {
    const own = sqliteProject('', "prefix: 'app_'");
    const { stdout } = await own.must('queue:table');
    expect(stdout).toMatch(/create table `app_jobs`/);
    expect((await own.must('table', '--dialect', 'postgres')).stdout).toMatch(/create table "app_jobs"/);
    const { lines } = await own.must('table', 'main', '--dialect', 'mysql', '--json');
    expect(JSON.stringify(lines)).toContain('utf8mb4_bin');
    expect(existsSync(own.path('queue.sqlite'))).toBe(false);
    const unknown = await own.run('table', '--dialect', 'oracle');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Write mysql, postgres or sqlite');
    const elsewhere = await own.run('table', 'sync');
    expect(elsewhere.code).toBe(2);
    expect(elsewhere.stderr).toContain('has no tables');
    await own.remove();
  });
});

describe('a store that cannot be used exits with 69', () => {
  test('a file that is no database', async () => {
    const own = sqliteProject();
    own.write(
      'queue.sqlite',
      'this is no database, and it is long enough to be looked at as one'.repeat(100),
    );
    for (const command of [['size'], ['work', '--once'], ['listen'], ['failed']]) {
      const { code, stderr } = await own.run(...command);
      expect(code, command.join()).toBe(69);
      expect(stderr).toContain('error E_STORE_CORRUPT: ');
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    await own.remove();
  });
});

describe('init', () => {
  test('writes a project whose next commands work', async () => {
    const own = new Project();
    const { stdout } = await own.must('init', '--js');
    expect(stdout).toContain('wrote drover.config.mjs\nwrote jobs/hello.mjs\n');
    const commands = [...stdout.matchAll(/^ {2}npx drover (\S+) (.*)$/gm)].map(([, name, rest]) => [
      name,
      rest,
    ]);
    expect(commands.map(([name]) => name)).toEqual(['queue:push', 'queue:work']);
    await own.must('queue:push', 'hello', '--data', '{"name":"Ada"}');
    expect((await own.must('queue:work', '--stop-when-empty')).stdout).toMatch(/ done .* hello /);
    const again = await own.run('init');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('drover.config.mjs is there already');
    expect((await own.must('init', '--ts', '--force', '--json')).lines).toEqual([
      { files: ['drover.config.mts', 'jobs/hello.mts'] },
    ]);
    await own.remove();
  });

  test('asks for @types/node where it writes TypeScript and they are missing', async () => {
    const own = new Project();
    const asked = /^Next:\n {2}npm install -D @types\/node {2}#.*\n {2}npx drover queue:push /m;
    expect((await own.must('init', '--js')).stdout).not.toContain('@types/node');
    expect((await own.must('init', '--ts', '--force')).stdout).toMatch(asked);
    own.write('node_modules/@types/node/package.json', '{ "name": "@types/node" }');
    expect((await own.must('init', '--ts', '--force')).stdout).not.toContain('@types/node');
    await own.remove();
  });
});

describe('make:job and make:consumer', () => {
  test('write a file, say what is next, and overwrite nothing', async () => {
    const own = new Project();
    const job = await own.must('make:job', 'send-mail');
    expect(job.stdout).toMatch(/^wrote jobs\/send-mail\.\w+\n\nNext:\n {2}npx drover queue:push send-mail /);
    await own.must('queue:push', 'send-mail', '--data', '{"id":1}');
    expect((await own.must('queue:work', '--stop-when-empty')).stdout).toMatch(/ done .* send-mail /);
    const again = await own.run('make:job', 'send-mail');
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is there already')]);
    const up = await own.run('make:consumer', '../up');
    expect([up.code, up.stderr]).toEqual([2, expect.stringContaining('cannot be the name of a file')]);
    expect((await own.must('make:consumer', 'my-mail', '--ts', '--json')).lines).toEqual([
      { file: expect.stringMatching(/^app\/queue\/redis\/my-mail\.m?ts$/), name: 'my-mail' },
    ]);
    await own.remove();
  });
});

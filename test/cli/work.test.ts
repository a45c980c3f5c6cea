import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliProject, CliProject as Project } from '../support/cli.js';
import { configText, sqliteProject } from './project.js';

const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
let project: CliProject;

beforeEach(() => {
  project = sqliteProject();
});

afterEach(() => project.remove());

describe('lines for people', () => {
  test('one for each attempt, with what comes next', async () => {
    await project.push('ok', null, { id: 'one' });
    await project.push('fail', null, { id: 'two', tries: 2 });
    const { stdout, stderr } = await project.must('work', '--stop-when-empty', '--backoff', '0');
    const [done, released, failed, ...rest] = stdout.trimEnd().split('\n');
    expect(done).toMatch(new RegExp(`^${when}  done      ok  one  queue=default attempt=1  \\d+ ms$`));
    expect(released).toMatch(
      /released {2}fail {2}two {2}queue=default attempt=1 .* again in 0 ms \(\d\d:\d\d:\d\d\) /,
    );
    expect(released).toMatch(/ TypeError: no such luck$/);
    expect(failed).toMatch(
      /failed {4}fail {2}two .*attempt=2 .* max-tries: TypeError: no such luck {2}see drover queue:failed two$/,
    );
    expect(rest).toEqual([]);
    expect(stderr).toMatch(
      /info {3}working default of connection main \(pid \d+, config .*drover\.config\.mjs, 10 jobs defined\)/,
    );
    expect(stderr).toMatch(/info {3}stopped: empty\n$/);
    for (const line of (stdout + stderr).trimEnd().split('\n'))
      expect(line).toMatch(new RegExp(`^${when}  `));
  });

  test('--delay is the wait after a failure', async () => {
    await project.push('fail');
    expect((await project.must('work', '--once', '--delay', '1h')).stdout).toMatch(/again in 1 h \(/);
  });

  test('no colours but at a terminal or with FORCE_COLOR, and none with NO_COLOR', async () => {
    for (let index = 0; index < 3; index++) await project.push('ok');
    const work = (env: NodeJS.ProcessEnv) => project.start(['work', '--once'], { env }).exited;
    expect((await work({})).stdout).not.toContain('\x1b');
    expect((await work({ FORCE_COLOR: '1' })).stdout).toContain('\x1b[32mdone');
    const none = await work({ FORCE_COLOR: '1', NO_COLOR: '1' });
    expect(none.stdout).toContain('done');
    expect(none.stdout + none.stderr).not.toContain('\x1b[');
  });

  test('control characters of a payload never reach the terminal', async () => {
    const message = 'a\x1b]0;owned\x07\n[info] fake\r\u009b31m\u202eevil\u2028';
    await project.push('fail', { message }, { id: 'bad', tries: 1 });
    const worked = await project.must('work', '--once');
    const listed = await project.must('failed');
    const shown = await project.must('failed', 'bad');
    const json = await project.must('failed', '--json');
    const escaped = String.raw`a\x1b]0;owned\x07\n[info] fake\r\x9b31m\u202eevil\u2028`;
    for (const text of [worked.stdout, shown.stdout]) expect(text).toContain(escaped);
    expect(listed.stdout).toContain(escaped.slice(0, 30)); // cut to the width
    expect(json.lines[0]).toMatchObject({ error: { message } });
    for (const { stdout, stderr } of [worked, listed, shown, json]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
      expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]/);
      expect(stdout + stderr).not.toMatch(/^\[info\] fake/m);
    }
  });
});

describe('--json', () => {
  test('one object a line, logs and prints of jobs on stderr', async () => {
    await project.push('prints', null, { id: 'p', queue: 'a' });
    await project.push('fail', null, { id: 'f', queue: 'b', tries: 1 });
    const { stdout, stderr, lines } = await project.must(
      ...['queue:work', '--queue', 'a,b', '--concurrency', '2', '--stop-when-empty', '--json'],
    );
    expect(lines).toHaveLength(stdout.trimEnd().split('\n').length);
    const [start, ...events] = lines;
    expect(start).toEqual({
      time: expect.any(String),
      event: 'worker:started',
      pid: expect.any(Number),
      name: expect.any(String),
      connection: 'main',
      queues: ['a', 'b'],
      concurrency: 2,
      jobs: 10,
      config: project.path('drover.config.mjs'),
    });
    const job = { id: 'f', name: 'fail', queue: 'b', connection: 'main', attempts: 1 };
    const waitMs = expect.any(Number);
    expect(events).toContainEqual({ time: expect.any(String), event: 'job:started', ...job, waitMs });
    expect(events).toContainEqual({
      time: expect.any(String),
      event: 'job:failed',
      ...job,
      durationMs: expect.any(Number),
      reason: 'max-tries',
      error: expect.objectContaining({ class: 'TypeError', message: 'no such luck' }),
    });
    expect(events).toContainEqual(expect.objectContaining({ event: 'job:done', id: 'p', name: 'prints' }));
    expect(events.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'empty' });
    expect(stderr).toContain('{"event":"not one of ours"}\n');
  });
});

describe('where the settings come from', () => {
  const oneJob =
    "import { defineJob } from 'drover';\nexport default defineJob({ name: 'one', handle() {} });\n";
  const started = async (project: CliProject, ...args: string[]) => {
    const running = project.start(['work', '--once', '--json', ...args], { env: { QUEUE_CONNECTION: '' } });
    return (await running.exited).lines[0];
  };

  test('the config, and flags before it', async () => {
    project = sqliteProject("worker: { concurrency: 3, queues: ['x', 'y'] },");
    expect(await started(project)).toMatchObject({ connection: 'main', queues: ['x', 'y'], concurrency: 3 });
    expect(await started(project, 'memory', '--queue=z', '--concurrency=2')).toMatchObject({
      connection: 'memory',
      queues: ['z'],
      concurrency: 2,
    });
  });

  test('--config names the file, QUEUE_CONNECTION the connection', async () => {
    const own = new Project({ 'other.config.mjs': configText(), 'jobs/one.mjs': oneJob });
    const env = { QUEUE_CONNECTION: 'memory' };
    const { lines } = await own.start(['size', '--config', 'other.config.mjs', '--json'], { env }).exited;
    expect(lines[0]).toMatchObject({ connection: 'memory' });
    expect(await started(own, '--config=other.config.mjs')).toMatchObject({
      config: own.path('other.config.mjs'),
    });
    await own.remove();
  });

  test('without a config file there is a built-in one', async () => {
    const own = new Project({ 'jobs/one.mjs': oneJob });
    expect(await started(own)).toMatchObject({ event: 'worker:started', config: null, jobs: 1 });
    await own.remove();
  });
});

test('credentials in what a job throws stay off every output', async () => {
  const message = 'refused by mysql://ada:s3cr3t-CANARY@db';
  await project.push('fail', { message }, { id: 'f', tries: 1 });
  const results = [await project.must('work', '--once', '--json')];
  await project.push('fail', { message }, { id: 'g', tries: 1 });
  results.push(await project.must('work', '--once'), await project.must('failed'));
  for (const { stdout, stderr } of results) {
    expect(stdout).toContain('mysql://***@db');
    expect(stdout + stderr).not.toContain('CANARY');
  }
});

describe('when it stops', () => {
  test('--once, --max-jobs, --max-time', async () => {
    for (let index = 0; index < 4; index++) await project.push('ok');
    const reasonOf = async (...flags: string[]) => {
      const { lines } = await project.must('work', '--json', ...flags);
      return [lines.filter((line) => line.event === 'job:done').length, lines.at(-1)?.reason];
    };
    expect(await reasonOf('--once')).toEqual([1, 'once']);
    expect(await reasonOf('--daemon', '--max-jobs', '2')).toEqual([2, 'max-jobs']);
    expect(await reasonOf('--max-time', '500ms')).toEqual([1, 'max-time']);
    expect(await reasonOf('--once')).toEqual([0, 'empty']);
  });

  test('--once twice is once', async () => {
    await project.push('ok');
    await project.push('ok');
    const { lines } = await project.must('work', '--once', '--once', '--json');
    expect(lines.filter((line) => line.event === 'job:done')).toHaveLength(1);
  });

  test('empty, but other workers hold jobs: the last line says how many', async () => {
    await project.push('waits', null, { queue: 'a' });
    const first = project.start(['work', '--queue', 'a', '--json']);
    await first.line({ event: 'job:started' });
    const lastLine = async () => {
      const { stderr } = await project.must('work', '--queue', 'a,b', '--stop-when-empty');
      return stderr.trimEnd().split('\n').at(-1);
    };
    expect(await lastLine()).toMatch(
      / stopped: empty \(1 job is held by another worker or waits for its lease to lapse\)$/,
    );
    await project.push('waits', null, { queue: 'b' });
    const second = project.start(['work', '--queue', 'b', '--json']);
    await second.line({ event: 'job:started' });
    expect(await lastLine()).toMatch(/ stopped: empty \(2 jobs are held /);
    const { lines } = await project.must('work', '--queue', 'a,b', '--stop-when-empty', '--json');
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'empty', reserved: 2 });
  });

  test('above --memory: the job ends, then exit 12', async () => {
    await project.push('grows');
    await project.push('ok');
    const { code, lines } = await project.run('work', '--memory', '250', '--json');
    expect(code).toBe(12);
    expect(lines.map((line) => line.reason ?? line.event)).toEqual([
      'worker:started',
      'job:started',
      'job:done',
      'memory',
    ]);
  });

  test('in this process, every slot held by a handler that cannot be stopped: exit 124', async () => {
    project = sqliteProject("worker: { grace: '50ms' },");
    await project.push('stubborn');
    const { code, lines } = await project.run('work', '--workers', '0', '--timeout', '100ms', '--json');
    expect(code).toBe(124);
    expect(lines).toContainEqual(expect.objectContaining({ event: 'job:released', name: 'stubborn' }));
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'stuck' });
  });

  test('in this process, an error outside any handler: the running job ends, then exit 70', async () => {
    await project.push('stray', null, { id: 'innocent' });
    await project.push('ok');
    const worker = project.start(['work', '--workers', '0', '--json']);
    await worker.says('an error outside any handler');
    project.write('go', '');
    const { code, stderr, lines } = await worker.exited;
    expect(code).toBe(70);
    const entry = stderr.split('\n').find((line) => line.includes('an error outside')) as string;
    expect(JSON.parse(entry)).toMatchObject({
      level: 'error',
      error: { class: 'Error', message: 'nobody waits for me' },
      running: ['innocent'],
    });
    expect(lines.map((line) => line.reason ?? line.event)).toEqual([
      'worker:started',
      'job:started',
      'job:done',
      'uncaught',
    ]);
  });

  test('nobody reads stdout any longer: it stops in order and prints no trace', async () => {
    await project.push('waits');
    await project.push('ok');
    const worker = project.start(['work']);
    await worker.says('working default');
    worker.process.stdout?.destroy();
    project.write('go', '');
    await worker.says('nobody reads the output');
    expect(await worker.exited).toMatchObject({ code: 0 });
    expect(worker.stderr).not.toMatch(/EPIPE|\n\s+at /);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobDetails, jobTable } from '../../cli/job-view.js';
import { createOutput } from '../../cli/output.js';
import type { FoundJob, ListedJob, Queue } from '../../src/index.js';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

const plainColors = createOutput({ stdout: process.stdout, env: { NO_COLOR: '1' } }, false).colors;
const nowMs = new Date(2026, 10, 21, 12, 0, 0).getTime();

function view(more: Partial<ListedJob> = {}): ListedJob {
  const none = { dueAtMs: null, startedAtMs: null, finishedAtMs: null, leaseEndsAtMs: null, worker: null };
  const notEnded = { host: null, pid: null, reason: null, error: null, uuid: null, result: null, note: null };
  return {
    id: 'a1',
    name: 'mail.send',
    connection: 'main',
    queue: 'default',
    state: 'ready',
    attempts: 0,
    exceptions: 0,
    createdAtMs: nowMs - 60_000,
    payload: '{"job":"mail.send"}',
    ...none,
    ...notEnded,
    ...more,
  };
}

const ended = { startedAtMs: nowMs - 2500, finishedAtMs: nowMs - 1000, host: 'h1', pid: 7 };
const error = { class: 'TypeError', message: 'no\nluck', stack: 'TypeError: no\n    at x', causes: [] };

describe('what a terminal shows', () => {
  test('a line for each job', () => {
    const jobs = [
      view({ state: 'running', attempts: 1, startedAtMs: nowMs - 1000, worker: 'h1:7' }),
      view({ id: null, name: null, createdAtMs: null }),
      view({ state: 'delayed', dueAtMs: nowMs + 90_000 }),
      view({ state: 'done', attempts: 1, ...ended, result: '{"ok":true}' }),
      view({ state: 'failed', attempts: 3, ...ended, createdAtMs: nowMs - 86_400_000, error }),
    ];
    expect(jobTable(jobs, nowMs, plainColors, 200)).toBe(
      `
id  job           queue    state    attempts  created              started   finished  about
a1  mail.send     default  running         1  11:59:00             11:59:59  -         on h1:7
-   (unreadable)  default  ready           0  -                    -         -
a1  mail.send     default  delayed         0  11:59:00             -         -         due in 1.5 min
a1  mail.send     default  done            1  11:59:00             11:59:57  11:59:59  after 1.5 s {"ok":true}
a1  mail.send     default  failed          3  2026-11-20 12:00:00  11:59:57  11:59:59  TypeError: no\\nluck`.trim(),
    );
  });

  test('one job in full, with its times in their order', () => {
    const failed: FoundJob = {
      ...view({
        state: 'failed',
        attempts: 3,
        dueAtMs: nowMs - 60_000,
        ...ended,
        error,
        reason: 'max-tries',
        uuid: 'u1',
      }),
      earlier: [view({ state: 'done', attempts: 1, finishedAtMs: nowMs - 3_600_000 })],
    };
    expect(jobDetails(failed, nowMs, plainColors)).toBe(`job         mail.send
job id      a1
queue       default of connection main
state       failed
attempts    3
created at  2026-11-21 11:59:00
due at      2026-11-21 11:59:00
started at  2026-11-21 11:59:57
failed at   2026-11-21 11:59:59 after 1.5 s on h1, pid 7
uuid        u1
reason      max-tries
error       TypeError: no\\nluck
payload     {"job":"mail.send"}
before      done at 2026-11-21 11:00:00, attempts 1
stack
  TypeError: no
      at x`);
  });

  test('how many attempts are counted as thrown', () => {
    const job = { ...view({ attempts: 4, exceptions: 2 }), earlier: [] };
    expect(jobDetails(job, nowMs, plainColors)).toContain('attempts    4, of which 2 threw\n');
  });

  test('no control character of a job reaches it', () => {
    const nasty = 'a\x1b[31m\n\u202eb\u0007';
    const texts = {
      id: nasty,
      name: nasty,
      queue: nasty,
      worker: nasty,
      result: nasty,
      note: nasty,
      payload: nasty,
    };
    const job = view({
      ...texts,
      state: 'done',
      host: nasty,
      uuid: nasty,
      error: { ...error, message: nasty },
    });
    const text = `${jobTable([job], nowMs, plainColors, 200)}${jobDetails({ ...job, earlier: [] }, nowMs, plainColors)}`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('a\\x1b[31m\\n\\u202eb\\x07');
  });
});

describe('queue:list and queue:show', () => {
  let project: CliProject;
  let queue: Queue;
  beforeAll(async () => {
    project = sqliteProject('worker: { tries: 1 },', 'history: { keep: 50 }');
    queue = await project.queue();
    const work = () => project.must('work', '--stop-when-empty', '--sleep', '0', '--workers', '0');
    await queue.push('ok', { secret: 'in the payload' }, { id: 'd1' });
    await work();
    await queue.push('fail', { message: 'broken' }, { id: 'f1' });
    await work(); // after the first: jobs of one run are settled together, in whichever order
    await queue.push('ok', null, { id: 'r1' });
    await queue.push('ok', null, { id: 'l1', delay: '1h' });
    await queue.push('mail.send', null, { id: 'm1' });
  });
  afterAll(() => project.remove());

  const ids = async (...flags: string[]) =>
    (await project.must('list', '--json', ...flags)).lines.map(({ id, state }) => `${id} ${state}`);

  test('--json: an object for each job, without its payload', async () => {
    expect(await ids()).toEqual(['r1 ready', 'l1 delayed', 'f1 failed', 'd1 done']);
    const { lines, stdout } = await project.must('queue:list', 'done', '--json');
    expect(stdout).not.toContain('in the payload');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(lines).toEqual([
      {
        id: 'd1',
        name: 'ok',
        queue: 'default',
        connection: 'main',
        state: 'done',
        attempts: 1,
        exceptions: null,
        createdAt: null,
        dueAt: time,
        startedAt: time,
        finishedAt: time,
        leaseEndsAt: null,
        worker: null,
        host: expect.any(String),
        pid: expect.any(Number),
        reason: null,
        error: null,
        uuid: null,
        result: null,
        note: null,
      },
    ]);
    const [failed] = (await project.must('list', 'failed', '--json')).lines;
    expect(failed).toMatchObject({
      id: 'f1',
      startedAt: time,
      finishedAt: time,
      error: { message: 'broken' },
    });
  });

  test('by state, queue, name, time and number', async () => {
    for (const state of ['ready', 'delayed', 'failed', 'done']) {
      expect(await ids(state)).toEqual([expect.stringMatching(new RegExp(` ${state}$`))]);
    }
    expect(await ids('running')).toEqual([]);
    expect(await ids('--queue', 'mail')).toEqual(['m1 ready']);
    expect(await ids('--name', 'fail')).toEqual(['f1 failed']);
    expect(await ids('done', '--since', '0')).toEqual([]);
    expect(await ids('done', '--since', '2020-01-01')).toEqual(['d1 done']);
    await queue.push('ok', null, { id: 'r2' });
    expect(await ids('ready', '--limit', '1')).toEqual(['r1 ready']);
  });

  test('as text', async () => {
    const { stdout } = await project.must('queue:list');
    expect(stdout).toMatch(/^id {2}job {3}queue +state +attempts +created +started +finished +about\n/);
    expect(stdout).toMatch(/^f1 +fail +default +failed +1 .* TypeError: broken$/m);
    expect(stdout).not.toContain('in the payload');
    expect((await project.must('list', 'reserved')).stdout).toBe('no reserved jobs\n');
  });

  test('one in full, in whatever state', async () => {
    expect((await project.must('queue:show', 'd1')).stdout).toMatch(
      /^state +done\n.*\ndue at .*\nstarted at .*\ndone at +\d{4}-/m,
    );
    expect((await project.must('show', 'r1')).stdout).toMatch(/^state +ready$/m);
    expect((await project.must('show', 'm1', '--queue', 'mail')).stdout).toMatch(
      /^payload +\{"job":"mail.send"/m,
    );
    const { lines } = await project.must('show', 'f1', '--json');
    expect(lines).toMatchObject([
      { id: 'f1', state: 'failed', payload: expect.stringContaining('"broken"'), earlier: [] },
    ]);
    expect((await project.must('show', String(lines[0]?.uuid), '--json')).lines).toEqual(lines);
  });

  test('an unknown id: exit 1; an unknown state, or done jobs that are not kept: exit 2', async () => {
    const none = await project.run('show', 'no\x07body');
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: 'no job has the id no\\x07body\n' });
    expect(await project.run('list', 'over')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'over' is no state"),
    });
    expect(await project.run('list', 'done', '--connection', 'memory')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('history: { keep: 1000 }'),
    });
    const { stdout } = await project.must('list', '--connection', 'memory');
    expect(stdout).toBe('no jobs\nconnection memory keeps no done jobs (history)\n');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Queue } from '../../src/index.js';
import type { CliProject, Line } from '../support/cli.js';
import { sqliteProject } from './project.js';

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
let project: CliProject;
let queue: Queue;

beforeAll(async () => {
  project = sqliteProject('worker: { tries: 1 },');
  queue = await project.queue();
});

afterAll(() => project.remove());

/** Pushes a failing job of the id and lets it fail. */
async function failOne(id: string, name: string, message = `${id} failed`): Promise<void> {
  await queue.push('fail', { message }, { id, queue: name });
  await queue.worker({ queues: [name], once: true }).run();
}

async function failed(...flags: string[]): Promise<readonly Line[]> {
  return (await project.must('failed', '--json', ...flags)).lines;
}

describe('queue:failed', () => {
  test('nothing there', async () => {
    expect((await project.must('queue:failed', '--queue', 'none')).stdout).toBe('no failed jobs\n');
  });

  test('a table, newest first, cut to a width, with filters', async () => {
    await failOne('t1', 'table', 'first');
    await failOne('t2', 'table', `second ${'long '.repeat(100)}`);
    const { stdout } = await project.must('failed', '--queue', 'table');
    const [heading, second, first, ...rest] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^uuid +job +queue +connection +failed at +attempts +reason +message$/);
    expect(second).toMatch(
      / fail +table +main +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +1 +max-tries +TypeError: second long/,
    );
    expect(second?.length).toBeLessThanOrEqual(160);
    expect(first).toMatch(/TypeError: first$/);
    expect(rest).toHaveLength(1);
    expect((await project.must('failed', '--queue', 'table', '--limit', '1')).stdout).toContain(
      'the newest 1 are shown',
    );
    expect(await failed('--queue', 'table', '--name', 'ok')).toEqual([]);
    expect(await failed('--queue', 'table', '--name', 'fail', '--since', '1h')).toHaveLength(2);
    expect(await failed('--queue', 'table', '--since', '0')).toEqual([]);
    expect(await failed('--queue', 'table', '--since', '2020-01-01')).toHaveLength(2);
    expect(await failed('--queue', 'table', '--since', '2099-12-24T18:00:00Z')).toEqual([]);
    for (const since of ['yesterday', '2020-13-45', '5 min']) {
      expect(await project.run('failed', '--since', since)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`--since: '${since}' is neither a time span nor a time`),
      });
    }
    expect(await failed('--queue', 'table', '--connection', 'memory')).toEqual([]);
  });

  test('one in full, by uuid or job id', async () => {
    await failOne('f1', 'full');
    const [record] = await failed('--queue', 'full');
    expect(record).toMatchObject({
      uuid: expect.stringMatching(uuid),
      id: 'f1',
      name: 'fail',
      queue: 'full',
      connection: 'main',
      attempts: 1,
      reason: 'max-tries',
      error: { class: 'TypeError', message: 'f1 failed', causes: [{ class: 'Error', message: 'the root' }] },
      payload: expect.stringContaining('"data":{"message":"f1 failed"}'),
    });
    const { stdout } = await project.must('failed', record?.uuid as string);
    expect(stdout).toMatch(/^job id +f1$/m);
    expect(stdout).toMatch(/^caused by +Error: the root$/m);
    expect(stdout).toMatch(/^payload +\{"job":"fail"/m);
    expect(stdout).toMatch(/^stack\n {2}TypeError: f1 failed\n {2} +at .*jobs\.mjs/m);
    expect((await project.must('failed', 'f1')).stdout).toBe(stdout);
  });

  test("the error's code, where it has one", async () => {
    await queue.push('fail', { message: 'refused', code: 'ECONNREFUSED' }, { id: 'c1', queue: 'code' });
    await queue.worker({ queues: ['code'], once: true }).run();
    expect(await failed('--queue', 'code')).toMatchObject([
      { error: { class: 'TypeError', code: 'ECONNREFUSED', message: 'refused' } },
    ]);
    expect((await project.must('failed', 'c1')).stdout).toMatch(
      /^error +TypeError \[ECONNREFUSED\]: refused$/m,
    );
  });

  test('an unknown id: exit 1', async () => {
    const { code, stdout, stderr } = await project.run('failed', 'nobody');
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'no failed job has the id nobody\n',
    });
  });
});

describe('queue:retry', () => {
  test('by uuid and by job id; unknown ones are told and exit with 1', async () => {
    await failOne('r1', 'retry');
    await failOne('r2', 'retry');
    const [record] = await failed('--queue', 'retry');
    const { code, stdout, stderr } = await project.run('retry', 'r1', record?.uuid as string, 'r9');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '2 retried\n' });
    expect(stderr).toContain('no failed job has the id r9');
    expect(await queue.size('retry')).toMatchObject({ ready: 2 });
    expect(await failed('--queue', 'retry')).toEqual([]);
  });

  test('all, with filters, leaves what is there already and ends', async () => {
    for (const id of ['a1', 'a2', 'a3']) await failOne(id, 'all');
    await failOne('b1', 'other');
    await queue.push('ok', null, { id: 'a2', queue: 'all' });
    const { lines } = await project.must('queue:retry', 'all', '--queue', 'all', '--json');
    expect(lines.map((line) => [line.id, line.queue, line.outcome]).sort()).toEqual([
      ['a1', 'all', 'retried'],
      ['a2', 'all', 'already-there'],
      ['a3', 'all', 'retried'],
    ]);
    expect((await failed('--queue', 'other')).map((job) => job.id)).toEqual(['b1']);
    const again = await project.must('retry', 'all', '--queue', 'all');
    expect(again.stdout).toMatch(/: a job of its id is in queue all already\n0 retried, 1 already there\n$/);
  });

  test('all that failed since a time', async () => {
    await failOne('s1', 'since');
    const all = ['retry', 'all', '--queue', 'since', '--since'];
    expect((await project.must(...all, '2099-01-01')).stdout).toBe('0 retried\n');
    expect((await project.must(...all, '1h')).stdout).toBe('1 retried\n');
    expect(await project.run('retry', 's1', '--since', '1h')).toMatchObject({ code: 2 });
  });

  test("'all' beside an id: exit 2", async () => {
    expect(await project.run('retry', 'all', 'x')).toMatchObject({ code: 2 });
  });
});

describe('queue:forget and queue:flush', () => {
  test('forget removes what is named', async () => {
    await failOne('g1', 'forget');
    await failOne('g2', 'forget');
    const { code, stdout, stderr } = await project.run('forget', 'g1', 'g7');
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '1 forgotten\n',
      stderr: 'no failed job has the id g7\n',
    });
    expect((await failed('--queue', 'forget')).map((job) => job.id)).toEqual(['g2']);
    expect((await project.must('queue:forget', 'g2', '--json')).lines).toEqual([
      { forgotten: 1, unknown: [] },
    ]);
  });

  test('forget all is an id that no job has: it points to queue:flush and removes nothing', async () => {
    await failOne('k1', 'keep');
    const { code, stdout, stderr } = await project.run('forget', 'all');
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '0 forgotten\n',
      stderr: 'no failed job has the id all\nto remove all of them: drover queue:flush\n',
    });
    expect(await failed('--queue', 'keep')).toHaveLength(1);
  });

  test('prune-failed removes the old ones without a question', async () => {
    await failOne('p1', 'prune');
    expect((await project.must('queue:prune-failed')).stdout).toBe('0 forgotten\n');
    expect(await project.run('prune-failed', '--hours', 'many')).toMatchObject({ code: 2 });
    expect(await failed('--queue', 'prune')).toHaveLength(1);
    const { lines } = await project.must('prune-failed', '--hours', '0', '--json');
    expect(lines[0]?.pruned).toBeGreaterThanOrEqual(1);
    expect(await failed()).toEqual([]);
  });

  test('flush needs --force without a terminal; --hours spares the young', async () => {
    await failOne('h1', 'flush');
    expect(await project.run('queue:flush')).toMatchObject({ code: 2 });
    expect((await project.must('flush', '--force', '--hours', '1')).stdout).toBe('0 forgotten\n');
    expect(await failed('--queue', 'flush')).toHaveLength(1);
    expect((await project.must('flush', '--force', '--json')).lines[0]?.flushed).toBeGreaterThanOrEqual(1);
    expect(await failed()).toEqual([]);
  });
});

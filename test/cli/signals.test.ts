import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

let project: CliProject;

beforeEach(() => {
  project = sqliteProject();
});

afterEach(() => project.remove());

async function startWithJob(job: string, ...flags: string[]) {
  await project.push(job);
  await project.push('ok');
  const worker = project.start(['queue:work', '--json', ...flags]);
  await worker.line({ event: 'job:started' });
  return worker;
}

describe('SIGTERM and SIGINT', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: the running job ends, no other starts, exit 0',
    async (signal) => {
      const worker = await startWithJob('waits');
      worker.kill(signal);
      await worker.says(`${signal}: no new jobs`);
      project.write('go', '');
      const { code, lines } = await worker.exited;
      expect(code).toBe(0);
      expect(lines.map((line) => line.reason ?? line.event)).toEqual([
        'worker:started',
        'job:started',
        'job:done',
        'signal',
      ]);
      expect(await project.size()).toMatchObject({ ready: 1, reserved: 0 });
    },
  );

  test('past --shutdown-timeout the job is aborted and given back, exit 0', async () => {
    const worker = await startWithJob('heeds', '--shutdown-timeout', '100ms');
    worker.kill('SIGTERM');
    const { code, lines } = await worker.exited;
    expect(code).toBe(0);
    expect(lines).toContainEqual(expect.objectContaining({ event: 'job:given-back', name: 'heeds' }));
    expect(await project.size()).toMatchObject({ ready: 2, reserved: 0 });
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second %s: exit %i at once, the job stays reserved', async (signal, code) => {
    const worker = await startWithJob('waits');
    worker.kill('SIGTERM');
    await worker.says('no new jobs');
    worker.kill(signal);
    expect(await worker.exited).toMatchObject({ code });
    expect(await project.size()).toMatchObject({ ready: 1, reserved: 1 });
  });
});

describe('queue:restart', () => {
  test('a worker ends its job and exits with 0; one that starts afterwards works on', async () => {
    const worker = await startWithJob('waits');
    const { stdout } = await project.must('queue:restart');
    expect(stdout).toBe('workers of connection main were asked to finish and exit\n');
    const next = project.start(['work', '--json', '--max-jobs', '1']);
    expect(await next.exited).toMatchObject({ code: 0 });
    expect((await next.exited).lines.at(-1)).toMatchObject({ reason: 'max-jobs' });
    project.write('go', '');
    const { code, lines } = await worker.exited;
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ event: 'worker:stopped', reason: 'restart' });
    expect(lines).toContainEqual(expect.objectContaining({ event: 'job:done', name: 'waits' }));
  });

  test('--json', async () => {
    expect((await project.must('restart', 'main', '--json')).lines).toEqual([
      { connection: 'main', restart: 'asked' },
    ]);
  });
});

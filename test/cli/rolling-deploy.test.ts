import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

let project: CliProject;

beforeAll(() => {
  project = sqliteProject();
});

afterAll(() => project.remove());

test('a worker from before a deploy leaves a new job to one from after it, with all its tries', async () => {
  const old = project.start(['work', '--json']);
  await old.line({ event: 'worker:started' });
  project.write(
    'jobs/fresh.mjs',
    `import { defineJob } from 'drover';
     export const fresh = defineJob({ name: 'fresh', tries: 1, handle() {} });`,
  );
  const id = await project.push('fresh');
  expect(await old.line({ event: 'job:released', id })).toMatchObject({ attempts: 1 });
  expect(await old.line({ event: 'job:released', id })).toMatchObject({ error: { code: 'E_JOB_UNKNOWN' } });
  expect(await project.size()).toEqual({ ready: 0, delayed: 1, reserved: 0 });
  old.kill('SIGTERM');
  await old.exited;

  const current = project.start(['work', '--json']);
  expect(await current.line({ event: 'job:done', id })).toMatchObject({ attempts: 1 });
  current.kill('SIGTERM');
  expect(await current.exited).toMatchObject({ code: 0 });
});

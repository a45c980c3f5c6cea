import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliProject } from '../support/cli.js';

const configText = `
import { defineConfig } from 'drover/config';
import { database } from 'drover/drivers/database';

const at = (name) => database({ url: 'sqlite://' + import.meta.dirname + '/' + name + '.sqlite' });

export default defineConfig({
  default: 'main',
  connections: { main: at('main'), mail: at('mail') },
  jobs: ['./jobs/*.mjs'],
  worker: { tries: 1 },
});
`;

const jobText = `
import { defineJob } from 'drover';
export default defineJob({ name: 'fail', handle: () => Promise.reject(new Error('no luck')) });
`;

let project: CliProject;

beforeAll(() => {
  project = new CliProject({ 'drover.config.mjs': configText, 'jobs/fail.mjs': jobText });
});

afterAll(() => project.remove());

/** Pushes so many failing jobs to each connection and lets them fail. */
async function failAll(counts: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, count] of Object.entries(counts)) {
    const queue = (await project.queue()).connection(name);
    await queue.bulk('fail', Array(count).fill(null));
    await queue.worker({ stopWhenEmpty: true }).run();
  }
}

test('failed jobs of several connections are told apart', async () => {
  await failAll({ main: 2, mail: 1 });
  const { stdout } = await project.must('failed');
  const [heading, ...rows] = stdout.trimEnd().split('\n');
  expect(heading).toMatch(/ queue +connection +failed at /);
  const names = rows.flatMap((row) => / fail +default +(\S+) /.exec(row)?.[1] ?? []);
  expect(names.sort()).toEqual(['mail', 'main', 'main']);
  expect((await project.must('failed', '--connection', 'mail')).stdout).not.toContain('connection');

  expect((await project.must('retry', 'all')).stdout).toMatch(
    /^3 retried \((2 main, 1 mail|1 mail, 2 main)\)\n$/,
  );
  await failAll({ mail: 1 });
  expect((await project.must('retry', 'all')).stdout).toBe('2 retried (2 mail)\n');
  await failAll({ main: 0 });
  expect((await project.must('retry', 'all')).stdout).toBe('2 retried\n');
  await failAll({ mail: 0 });
  const { lines } = await project.must('retry', 'all', '--json');
  expect(lines).toMatchObject([{ connection: 'mail' }, { connection: 'mail' }]);
});

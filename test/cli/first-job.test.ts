import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CliProject } from '../support/cli.js';

const config = `
import { database } from 'drover/drivers/database';

export default {
  connections: { default: database('sqlite://' + import.meta.dirname + '/queue.sqlite') },
  jobs: './jobs/*.mjs',
};
`;

/** Imports nothing of Node's, as that would be among the modules. */
const jobs = `
import { defineJob } from 'drover';

export const modules = defineJob({
  name: 'modules',
  handle() {
    const loaded = JSON.stringify(process.moduleLoadList);
    process.getBuiltinModule('node:fs').writeFileSync('modules.json', loaded);
  },
});
`;

let project: CliProject;
afterEach(() => project.remove());

test('a worker process on SQLite comes to its first job without the modules of Node that take long to load', async () => {
  project = new CliProject({ 'drover.config.mjs': config, 'jobs/jobs.mjs': jobs });
  await project.push('modules');
  await project.must('queue:work', '--stop-when-empty');
  const loaded: unknown = JSON.parse(readFileSync(join(project.directory, 'modules.json'), 'utf8'));
  expect(loaded).toContain('NativeModule worker_threads'); // of the watchdog, which each process of a supervisor has
  expect(loaded).not.toContain('NativeModule crypto');
  expect(loaded).not.toContain('NativeModule perf_hooks');
  expect(loaded).not.toContain('NativeModule internal/fs/streams');
  expect(loaded).not.toContain('NativeModule internal/util/parse_args/parse_args');
});

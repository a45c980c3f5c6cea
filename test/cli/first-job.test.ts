import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CliProject } from '../support/cli.js';
import { ServerSandbox } from '../support/server-sandbox.js';

/** @param url an expression. */
const configOf = (url: string): string => `
import { database } from 'drover/drivers/database';

export default {
  connections: { default: database(${url}) },
  jobs: './jobs/*.mjs',
};
`;

/** Imports nothing of Node's, as that would be among the modules. */
const jobs = `
import { defineJob } from 'drover';

export const modules = defineJob({
  name: 'modules',
  handle() {
    const loaded = [...process.moduleLoadList];
    const found = JSON.stringify({ loaded, response: typeof Response });
    process.getBuiltinModule('node:fs').writeFileSync('found.json', found);
  },
});
`;

let project: CliProject;
let sandbox: ServerSandbox | undefined;
afterEach(async () => {
  await project.remove();
  await sandbox?.clean();
  sandbox = undefined;
});

/** The modules of Node that a worker process has loaded when its first job starts, and what that finds. */
async function atFirstJob(config: string): Promise<{ loaded: unknown; response: unknown }> {
  project = new CliProject({ 'drover.config.mjs': config, 'jobs/jobs.mjs': jobs });
  await project.push('modules');
  await project.must('queue:work', '--stop-when-empty');
  return JSON.parse(readFileSync(join(project.directory, 'found.json'), 'utf8'));
}

test('a worker process on SQLite comes to its first job without the modules of Node that take long to load', async () => {
  const { loaded } = await atFirstJob(configOf("'sqlite://' + import.meta.dirname + '/queue.sqlite'"));
  expect(loaded).toContain('NativeModule worker_threads'); // of the watchdog, which each process of a supervisor has
  expect(loaded).not.toContain('NativeModule crypto');
  expect(loaded).not.toContain('NativeModule perf_hooks');
  expect(loaded).not.toContain('NativeModule internal/fs/streams');
  expect(loaded).not.toContain('NativeModule internal/util/parse_args/parse_args');
});

test('a worker process on PostgreSQL comes to its first job without what fetch is made of, and has it', async () => {
  sandbox = await new ServerSandbox('postgres').make();
  const { loaded, response } = await atFirstJob(configOf(`'${sandbox.url}'`));
  expect(loaded).toContain('NativeModule net'); // of the client
  expect(loaded).not.toContain('NativeModule internal/deps/undici/undici');
  expect(loaded).not.toContain('NativeModule http2');
  expect(response).toBe('function');
});

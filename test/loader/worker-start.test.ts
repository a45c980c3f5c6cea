import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

const config = (url: string) => `
import { defineJob } from 'drover';
import { database } from 'drover/drivers/database';
const hello = defineJob({ name: 'hello', handle: () => console.log(\`hello from \${process.pid}\`) });
export default { connections: { default: database('${url}') }, jobs: [hello] };`;

let project: string;
let installed: string;
/** An application with a drover of its own, as built, and its packages. */
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'drover-start-'));
  installed = join(project, 'node_modules/drover');
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  for (const name of ['yargs', 'jiti', 'picocolors', 'knex', 'better-sqlite3']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const writeConfig = (name: string) =>
  writeFileSync(join(project, name), config(`sqlite://${project}/queue.sqlite`));

function drover(...words: string[]): string {
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '', NODE_V8_COVERAGE: '' };
  const program = [join(installed, 'dist/cli/bin.cjs'), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    cwd: project,
    env,
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** The files of compiled code, each with what changes when it is written anew. */
function keptCode(): ReadonlyMap<string, number> {
  const place = join(installed, '.compiled');
  const paths = existsSync(place) ? readdirSync(place, { recursive: true, encoding: 'utf8' }) : [];
  const files = paths.filter((path) => path.endsWith('.cjs'));
  return new Map(files.map((path) => [path.replace(/^.*[\\/]/, ''), statSync(join(place, path)).ino]));
}

test.each([
  ['of a supervisor', 'drover.config.mjs', ['queue:work', '--stop-when-empty']],
  ['of a supervisor, with a config in TypeScript', 'drover.config.mts', ['queue:work', '--stop-when-empty']],
  ['of a listener, for one job', 'drover.config.mjs', ['queue:work', '--once']],
])('a worker process %s keeps the code that its first job took, for the next one', (_, file, words) => {
  writeConfig(file);
  drover('queue:push', 'hello');
  expect(keptCode()).toEqual(new Map()); // only of workers, and only with what a job took
  drover('queue:work', '--stop-when-empty', 'default', '--queue', 'empty');
  expect(keptCode()).toEqual(new Map());
  expect(drover(...words)).toContain('hello from');
  const kept = keptCode();
  const needed = ['chunks-src.cjs', 'chunks-command.cjs', 'chunks-database.cjs', 'chunks-sqlite.cjs'];
  expect([...kept.keys()]).toEqual(expect.arrayContaining(needed));

  drover('queue:push', 'hello');
  expect(drover(...words)).toContain('hello from');
  expect(keptCode()).toEqual(kept); // where it had been refused it would be others
});

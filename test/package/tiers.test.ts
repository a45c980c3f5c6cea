import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { globSync } from 'tinyglobby';
import { expect, test } from 'vitest';
import { root } from './root.js';

/** The files that a tier runs, as vitest itself finds them. */
async function filesOf(config: string): Promise<string[]> {
  const bin = join(root, 'node_modules/vitest/vitest.mjs');
  // Without what the surrounding run told its workers.
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  const args = [bin, 'list', '--filesOnly', '--json', '--config', join(root, config)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: Object.fromEntries(outer),
  });
  return JSON.parse(stdout)
    .map(({ file }: { file: string }) => relative(root, file))
    .sort();
}

const all = globSync('test/**/*.ts', { cwd: root });

test('every file of tests belongs to a tier by its name, and the full tier has them all', async () => {
  const [normal, full] = await Promise.all([
    filesOf('vitest.config.ts'),
    filesOf('test/full/vitest.config.ts'),
  ]);
  const named = (ending: string) => all.filter((file) => file.endsWith(ending)).sort();
  expect(normal).toEqual(named('.test.ts'));
  expect(full).toEqual([...normal, ...named('.full.ts')].sort());
});

/** Registers tests when it is loaded. Where it does so when it is called, the caller is what counts. */
const registers = /^(?:test|it|describe)\b/m;

test('no other file has tests', () => {
  const others = all.filter((file) => !/\.(?:test|full|torture|test-d)\.ts$/.test(file));
  expect(others.filter((file) => registers.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

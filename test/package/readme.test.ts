import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

interface Example {
  readonly run: string;
  readonly code: string;
  /** What it must print, where the README says so. */
  readonly output: string | undefined;
}

const block = /<!-- run: (\S+) -->\n```\w+\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g;
const examples: Example[] = [...readme.matchAll(block)].map(([, run = '', code = '', output]) => ({
  run,
  code,
  output,
}));

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-readme-'));
  mkdirSync(join(directory, 'node_modules/.bin'), { recursive: true });
  symlinkSync(root, join(directory, 'node_modules/drover'));
  chmodSync(join(root, 'dist/cli/bin.js'), 0o755); // as npm does when it links a command
  symlinkSync(join(root, 'dist/cli/bin.js'), join(directory, 'node_modules/.bin/drover'));
  for (const peer of ['knex', 'better-sqlite3']) {
    symlinkSync(join(root, 'node_modules', peer), join(directory, 'node_modules', peer));
  }
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(command: string, args: string[]): string {
  const result = spawnSync(command, args, { cwd: directory, encoding: 'utf8', timeout: 25_000 });
  expect(result.status, `${command} ${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
  return result.stdout;
}

test('the README has programs and shell examples to run', () => {
  expect(examples.filter((example) => example.run === 'shell')).toHaveLength(2);
  expect(examples.filter((example) => example.run.endsWith('.mjs'))).toHaveLength(2);
});

test('its first program has 12 lines', () => {
  expect(examples[0]?.code.split('\n').filter(Boolean)).toHaveLength(11);
});

test.each(examples.filter((example) => example.run.endsWith('.mjs')))('program $run', (example) => {
  writeFileSync(join(directory, example.run), example.code);
  expect(run(process.execPath, [example.run])).toBe(example.output);
});

test('the shell examples, in order', () => {
  const [first = '', second = ''] = examples.filter((one) => one.run === 'shell').map((one) => one.code);
  expect(run('sh', ['-ec', first])).toMatch(/hello/i);
  const output = run('sh', ['-ec', second]);
  expect(output).toMatch(/max-tries/);
  expect(output).toMatch(/retried/);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ExampleProject, examplesOf, makeExampleProject, readDocument } from '../support/examples.js';

const examples = examplesOf(readDocument('README.md'));
let project: ExampleProject;

beforeAll(() => {
  project = makeExampleProject(['knex', 'better-sqlite3']);
});

afterAll(() => project.remove());

test('the README has programs and shell examples to run', () => {
  expect(examples.filter((example) => example.run === 'shell')).toHaveLength(2);
  expect(examples.filter((example) => example.run.endsWith('.mjs'))).toHaveLength(2);
});

test('its first program has 12 lines', () => {
  expect(examples[0]?.code.trimEnd().split('\n')).toHaveLength(12);
});

test.each(examples.filter((example) => example.run.endsWith('.mjs')))('program $run', (example) => {
  project.write(example.run, example.code);
  expect(project.run(process.execPath, [example.run])).toBe(example.output);
});

test('the shell examples, in order', () => {
  const [first = '', second = ''] = examples.filter((one) => one.run === 'shell').map((one) => one.code);
  expect(project.run('sh', ['-ec', first])).toMatch(/hello/i);
  const output = project.run('sh', ['-ec', second]);
  expect(output).toMatch(/max-tries/);
  expect(output).toMatch(/retried/);
});

test('what it says of speed is what the tables of docs/performance.md say', () => {
  const row = /^\| handled, 10 at a time \| ([\d,]+) \|[^|]*\| \S+ ([\d,]+) \|/m;
  const number = (text = '') => Number(text.replaceAll(',', ''));
  const times = new Map(
    readDocument('docs/performance.md')
      .split(/^### /m)
      .flatMap((section) => {
        const [, drover, peer] = row.exec(section) ?? [];
        return drover ? [[section.split('\n')[0], number(drover) / number(peer)] as const] : [];
      }),
  );
  expect([...times.keys()]).toEqual(['Redis', 'PostgreSQL', 'MariaDB', 'SQLite']);
  expect(readDocument('README.md')).toMatch(
    /about three times \(PostgreSQL\) to\s+more than thirty times \(MariaDB\)/,
  );
  expect(Math.min(...times.values())).toBe(times.get('PostgreSQL'));
  expect(Math.round(times.get('PostgreSQL') ?? 0)).toBe(3);
  expect(Math.max(...times.values())).toBe(times.get('MariaDB'));
  expect(times.get('MariaDB')).toBeGreaterThan(30);
});

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

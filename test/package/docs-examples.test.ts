import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExampleProject, examplesOf, makeExampleProject, readDocument } from '../support/examples.js';
import { root } from './root.js';

const documents = [
  'docs/jobs.md',
  'docs/events.md',
  'docs/statistics.md',
  'docs/history.md',
  'docs/observability.md',
  'docs/from-other-queues.md',
  'docs/from-think-queue.md',
  'docs/from-laravel.md',
].map((path) => {
  const text = readDocument(path);
  return { path, text, examples: examplesOf(text) };
});
const packages = [
  'zod',
  '@types/node',
  'knex',
  'better-sqlite3',
  'ioredis',
  'prom-client',
  '@opentelemetry/api',
  'pino',
];
const typescript = `${root}node_modules/typescript/bin/tsc`;
const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};
const projects = new Map<string, ExampleProject>();
const projectOf = (path: string): ExampleProject => projects.get(path) as ExampleProject;

beforeAll(() => {
  for (const { path, examples } of documents) {
    const project = makeExampleProject(packages);
    projects.set(path, project);
    for (const { run, code } of examples) project.write(run, code);
  }
});

afterAll(() => {
  for (const project of projects.values()) project.remove();
});

// In one run, which takes a second or two: the compiler reads the types of all packages first.
test('they have TypeScript, which compiles', () => {
  const files = documents.map(({ path, examples }) => {
    const names = examples.map(({ run }) => run).filter((name) => name.endsWith('.mts'));
    expect(names, path).not.toEqual([]);
    return names.map((name) => `${projectOf(path).directory}/${name}`);
  });
  const [first] = projects.values();
  first?.write('tsconfig.json', JSON.stringify({ compilerOptions, files: files.flat() }));
  expect(first?.run(process.execPath, [typescript])).toBe('');
});

describe.each(documents)('$path', ({ path, text, examples }) => {
  test('marks all of its code, each under a name of its own', () => {
    expect(text.match(/^```(?:js|ts|mjs|mts|javascript|typescript)\b/gm)).toHaveLength(examples.length);
    expect(new Set(examples.map(({ run }) => run.replace('.mts', '.mjs'))).size).toBe(examples.length);
  });

  test('says what the programs print that print something', () => {
    const silent = examples.filter(({ code }) => !code.includes('console.log'));
    expect(examples.filter(({ output }) => output === undefined)).toEqual(silent);
    expect(text.match(/^```text$/gm)).toHaveLength(examples.length - silent.length);
  });

  test.each(examples)('$run', ({ run, output = '' }) => {
    // The compiler wrote the .mjs beside it.
    expect(projectOf(path).run(process.execPath, [run.replace('.mts', '.mjs')])).toBe(output);
  });
});

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
];
const typescript = `${root}node_modules/typescript/bin/tsc`;
const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};

describe.each(documents)('%s', (path) => {
  const text = readDocument(path);
  const examples = examplesOf(text);
  const inTypeScript = examples.map(({ run }) => run).filter((name) => name.endsWith('.mts'));
  let project: ExampleProject;

  beforeAll(() => {
    project = makeExampleProject([
      'zod',
      '@types/node',
      'knex',
      'better-sqlite3',
      'prom-client',
      '@opentelemetry/api',
      'pino',
    ]);
    for (const { run, code } of examples) project.write(run, code);
    project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: inTypeScript }));
  });

  afterAll(() => project.remove());

  test('marks all of its code, each under a name of its own', () => {
    expect(text.match(/^```(?:js|ts|mjs|mts|javascript|typescript)\b/gm)).toHaveLength(examples.length);
    expect(new Set(examples.map(({ run }) => run.replace('.mts', '.mjs'))).size).toBe(examples.length);
  });

  test('says what the programs print that print something', () => {
    const silent = examples.filter(({ code }) => !code.includes('console.log'));
    expect(examples.filter(({ output }) => output === undefined)).toEqual(silent);
    expect(text.match(/^```text$/gm)).toHaveLength(examples.length - silent.length);
  });

  test('has TypeScript that compiles', () => {
    expect(inTypeScript).not.toEqual([]);
    expect(project.run(process.execPath, [typescript])).toBe('');
  });

  test.each(examples)('$run', ({ run, output = '' }) => {
    // The compiler wrote the .mjs beside it.
    expect(project.run(process.execPath, [run.replace('.mts', '.mjs')])).toBe(output);
  });
});

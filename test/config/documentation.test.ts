import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configFiles } from '../../config/find-config.js';
import { findProblems } from '../../config/validate.js';
import { workerGroupKeys, workerOptionNames } from '../../src/index.js';
import { loadConfig } from './built.js';
import { makeProject } from './project.js';

const text = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The first column of the table below a heading. */
function keysBelow(heading: string): string[] {
  const [, section = ''] = text.split(`\n${heading}\n`);
  const [, table = ''] = section.split(/\n\|---.*\n/);
  const rows = table.split('\n\n')[0] ?? '';
  return [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, key = '']) => key);
}

test.each(
  [...text.matchAll(/<!-- example: (\S+) -->\n```\w+\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => ({
    file,
    code,
  })),
)('the example $file is a good config', async ({ file, code }) => {
  const cwd = await makeProject({ [file]: code });
  const { config } = await loadConfig({ cwd, env: {} });
  expect(config.default).toBe('main');
  expect(config.connections.main?.settings.leaseMs).toBe(300_000);
});

test('all examples are found', () => {
  expect(text.match(/<!-- example: /g)).toHaveLength(3);
});

test('the table of keys has all of them', () => {
  const [unknown] = findProblems({ connections: {}, unknownKey: 1 }).filter(
    ({ path }) => path === 'unknownKey',
  );
  expect(unknown?.what).toBe(`unknown key; the keys are ${keysBelow('## Keys').join(', ')}`);
});

test('the table of worker settings has all of them', () => {
  expect(keysBelow('### worker')).toEqual(workerOptionNames);
});

test('the table of settings of groups has those that are not of workers', () => {
  const others = workerGroupKeys.filter((key) => !(workerOptionNames as readonly string[]).includes(key));
  expect(keysBelow('### supervisors')).toEqual(others);
});

test('the list of places to look in is the one that is looked at', () => {
  const [, section = ''] = text.split('## Where it is found');
  const shown = [...section.matchAll(/^\d\. (`.+)$/gm)].flatMap(([, line = '']) => {
    const [first = '', ...others] = [...line.matchAll(/`(.+?)`/g)].map(([, name = '']) => name);
    return [first, ...others.map((extension) => first.replace(/\.\w+$/, extension))];
  });
  expect(shown).toEqual(configFiles);
});

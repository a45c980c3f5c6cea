import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './root.js';

const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8');

test('docs/reliability.md names a test for each fault, and all of them are there', () => {
  const rows = [...text.matchAll(/^\| (F\d\d) \|.*\| (.+) \|$/gm)];
  expect(rows.map(([, id]) => id)).toEqual(
    Array.from({ length: 24 }, (_, index) => `F${String(index + 1).padStart(2, '0')}`),
  );
  for (const [, id, tests = ''] of rows) {
    const files = [...tests.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name);
    expect(files, id).not.toEqual([]);
    for (const file of files) {
      const path = join(root, 'test', file);
      const source = [`${path}.test.ts`, `${path}.ts`].find(existsSync);
      expect(source, `${id}: ${file}`).toBeDefined();
      const named = tests.slice(tests.indexOf(`\`${file}\``) + file.length + 2);
      const [, title] = /^ "([^"]+)"/.exec(named) ?? [];
      const [, row] = /^ (F\d\d)/.exec(named) ?? [];
      const wanted = title ?? row ?? '';
      expect(readFileSync(source ?? '', 'utf8'), `${id}: ${wanted}`).toContain(wanted);
    }
  }
});

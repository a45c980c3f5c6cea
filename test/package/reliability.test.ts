import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './root.js';

const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8');

const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`);

/** The cells of the rows whose first begins with a number of this letter. */
const rowsOf = (letter: string): string[][] =>
  [...text.matchAll(new RegExp(`^\\| (${letter}\\d\\d.*) \\|$`, 'gm'))].map(([, row = '']) =>
    row.split(' |').map((cell) => cell.trim()),
  );

/** A file, and the title of a test or the number of a row that is to be found in it. */
const named = /`((?:\w+\/)+[\w-]+)`(?: "([^"]+)"| (F\d\d))?/g;

/** Fails unless the cell names a test, and each that it names is there. */
function holdToTests(row: string, cell: string, alsoSaid = ''): void {
  const tests = [...cell.matchAll(named)];
  expect(tests, row).not.toEqual([]);
  for (const [, file = '', title, number] of tests) {
    const path = join(root, 'test', file);
    const source = [`${path}.test.ts`, `${path}.full.ts`, `${path}.ts`].find(existsSync);
    expect(source, `${row}: ${file}`).toBeDefined();
    const wanted = title ?? number ?? alsoSaid;
    expect(readFileSync(source ?? '', 'utf8'), `${row}: ${file} has ${wanted}`).toContain(wanted);
  }
}

test('docs/reliability.md names a test for each fault, and all of them are there', () => {
  const rows = rowsOf('F');
  expect(rows.map(([id]) => id)).toEqual(numbered('F', 24));
  for (const [id = '', , , tests = ''] of rows) {
    const [first = ''] = tests.split(';');
    holdToTests(id, first, / "/.test(first) ? '' : id);
    holdToTests(id, tests);
  }
});

test('for each fault of a store it says what comes of it on every store, and names a test where there can be one', () => {
  const stores = ['Redis', 'Cluster', 'Sentinel', 'SQLite', 'MySQL', 'PostgreSQL'];
  const cells = rowsOf('S').flatMap(([id = '', of = '', outcome = '', tests = '']) => {
    if (outcome.startsWith('n/a')) expect(tests, `${id} ${of}`).toBe('');
    else holdToTests(`${id} ${of}`, tests);
    return of.split(', ').map((store) => `${id.slice(0, 3)} ${store}`);
  });
  const all = numbered('S', 15).flatMap((id) => stores.map((store) => `${id} ${store}`));
  expect(cells.sort()).toEqual(all.sort());
});

test('for each duty of security it names a test, or says why there is nothing to test', () => {
  const rows = rowsOf('T');
  const ids = rows.flatMap(([what = '']) => {
    const [, from = '', to] = /^(T\d\d)(?: to (T\d\d))?/.exec(what) ?? [];
    const all = numbered('T', 22);
    return all.slice(all.indexOf(from), all.indexOf(to ?? from) + 1);
  });
  expect(ids).toEqual(numbered('T', 22));
  for (const [what = '', duty = '', tests = ''] of rows) {
    if (!duty.startsWith('n/a') || tests !== '') holdToTests(what, tests);
  }
});

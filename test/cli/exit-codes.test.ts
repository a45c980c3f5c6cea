import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodeOfError, exitCodeOfStop } from '../../cli/exit-codes.js';
import { type ErrorCode, QueueError } from '../../src/index.js';

const documented = [
  ...readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8').matchAll(
    /^\| `(E_\w+)` \|.*\| (\d+) \|$/gm,
  ),
].map(([, code, exit]) => [code as ErrorCode, Number(exit)] as const);

test('docs/errors.md has codes to compare with', () => expect(documented.length).toBeGreaterThan(15));

test.each(documented)('%s ends a command with %i, as documented', (code, exit) => {
  expect(exitCodeOfError(new QueueError(code, ''))).toBe(exit);
});

test('any other error: 1', () => expect(exitCodeOfError(new Error('x'))).toBe(1));

test.each([
  ['signal', 0],
  ['once', 0],
  ['empty', 0],
  ['max-jobs', 0],
  ['max-time', 0],
  ['restart', 0],
  ['memory', 12],
  ['stuck', 124],
] as const)('a worker that stopped for %s: %i', (reason, exit) => {
  expect(exitCodeOfStop(reason)).toBe(exit);
});

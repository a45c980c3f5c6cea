import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { Args } from '../../cli/args.js';
import { confirmed } from '../../cli/confirm.js';
import { reportError } from '../../cli/error-report.js';
import type { Io } from '../../cli/io.js';
import { findJsonProblem } from '../../cli/json-position.js';
import { createLogger } from '../../cli/logger.js';
import { plain, plainLines, safeJson, withoutCredentials } from '../../cli/plain-text.js';
import { spanText } from '../../cli/time-text.js';
import { QueueError } from '../../src/index.js';

/** An Io whose streams are kept in memory. */
function fakeIo(env: NodeJS.ProcessEnv = {}, answer?: string): Io & { printed(): Promise<string> } {
  const stderr = new PassThrough();
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  stdin.end(answer);
  return {
    stdout: new PassThrough(),
    stderr,
    stdin,
    env,
    cwd: '/',
    outputGone: new AbortController().signal,
    onUncaught: () => {},
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
    printed: () => text(stderr.end()),
  };
}

describe('text that came from somewhere else', () => {
  test('control characters become escapes, everything else stays', () => {
    expect(plain('a\0\t\n\r\x1b[31m\x7f\x9b\u061c\u200f\u2028\u202e\u2069\ud800')).toBe(
      String.raw`a\x00\t\n\r\x1b[31m\x7f\x9b\u061c\u200f\u2028\u202e\u2069\ud800`,
    );
    expect(plain('Grüße 😀 漢字 \\n')).toBe('Grüße 😀 漢字 \\n');
    expect(plainLines('one\r\ntwo\x1b\nthree', '  ')).toBe('one\n  two\\x1b\n  three');
  });

  test('JSON stays JSON and reads back the same', () => {
    const value = { text: '\x1b\x9b\u202e\u2028\x7f"\\😀', n: 1 };
    const line = safeJson(value);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
    expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e\u2028]/);
    expect(JSON.parse(line)).toEqual(value);
  });

  test.each([
    ['cannot reach postgres://ada:s3cr3t-CANARY@db/x', 'cannot reach postgres://***@db/x'],
    ['redis://:s3cr3t/CANARY@h:6379 and mysql://u:p@i', 'redis://***@h:6379 and mysql://***@i'],
    ['see https://example.org/a', 'see https://example.org/a'],
    ['at file:///app/node_modules/.pnpm/knex@3/x.js', 'at file:///app/node_modules/.pnpm/knex@3/x.js'],
  ])('%s', (given, shown) => {
    expect(withoutCredentials(given)).toBe(shown);
  });
});

test.each([
  ['', 0],
  ['abc', 0],
  ['{bad', 1],
  ['{"a":1', 6],
  ['{"a" 1}', 5],
  ['{"a":1,}', 7],
  ['[1,,2]', 3],
  ['[1 2]', 3],
  ['{"a":tru}', 5],
  ["{'a':1}", 1],
  ['"open', 0],
  ['{"a":"x\ny"}', 5],
  ['01', 1],
  ['{} x', 3],
  [' [true, false, null, -1.5e3, "\\u00e9", {}] ]', 43],
])('%j stops being JSON at %i', (given, position) => {
  expect(() => JSON.parse(given)).toThrow();
  expect(findJsonProblem(given)?.position).toBe(position);
});

test('a text too deep to look through names no position', () => {
  expect(findJsonProblem('['.repeat(200_000))).toBeUndefined();
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1500, '1.5 s'],
  [89_999, '90 s'],
  [300_000, '5 min'],
  [7_200_000, '2 h'],
  [864_000_000, '10 d'],
])('%i ms is %s', (ms, shown) => {
  expect(spanText(ms)).toBe(shown);
});

describe('errors', () => {
  test('a QueueError: code, message and fix, never a stack', async () => {
    const io = fakeIo({ DROVER_DEBUG: '1' });
    reportError(new QueueError('E_CONFIG', 'line\nbreak', { fix: 'mend it' }), io, false);
    expect(await io.printed()).toBe('error E_CONFIG: line\\nbreak\n  fix: mend it\n');
  });

  test('any other: one line that says how to see more, and the stack only then', async () => {
    const io = fakeIo();
    reportError(new TypeError('redis://:s3cr3t@h broke'), io, false);
    expect(await io.printed()).toBe(
      'error E_UNEXPECTED: TypeError: redis://***@h broke\n  fix: Set DROVER_DEBUG=1 to see where it comes from.\n',
    );
    const debug = fakeIo({ DROVER_DEBUG: '1' });
    reportError(new TypeError('redis://:s3cr3t@h broke'), debug, false);
    const shown = await debug.printed();
    expect(shown).toMatch(/\n\s+at .*text\.test\.ts/);
    expect(shown).not.toContain('s3cr3t');
  });

  test('as JSON, whatever was thrown', async () => {
    const io = fakeIo();
    reportError(undefined, io, true);
    reportError(
      {
        get message() {
          throw new Error('no');
        },
      },
      io,
      true,
    );
    const lines = (await io.printed())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      expect.objectContaining({ event: 'error', code: 'E_UNEXPECTED', message: 'NonErrorThrown: undefined' }),
      expect.objectContaining({ event: 'error', code: 'E_UNEXPECTED', message: 'Error: (unreadable)' }),
    ]);
  });
});

describe('the logger', () => {
  test('one line for people, whatever the fields hold', async () => {
    const io = fakeIo();
    const log = createLogger(io, false);
    log.warn({ id: 'x\n1', err: new Error('mysql://u:s3cr3t@h\x1b') }, 'could not\ndelete');
    log.debug({}, 'unseen');
    expect(await io.printed()).toMatch(
      /^\d\d:\d\d:\d\d {2}warn {3}could not\\ndelete {2}id=x\\n1 {2}Error: mysql:\/\/\*\*\*@h\\x1b\n$/,
    );
  });

  test('JSON, also for what JSON cannot hold', async () => {
    const io = fakeIo({ DROVER_DEBUG: '1' });
    const log = createLogger(io, true);
    log.debug({ queue: 'a', err: new TypeError('no') }, 'seen');
    log.error({ big: 1n }, 'kept');
    const [seen, kept] = (await io.printed())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const time = expect.any(String);
    expect(seen).toEqual({
      level: 'debug',
      time,
      msg: 'seen',
      queue: 'a',
      err: { class: 'TypeError', message: 'no' },
    });
    expect(kept).toEqual({ level: 'error', time, msg: 'kept' });
  });
});

describe('asking before something is removed', () => {
  test.each([
    ['y\n', true],
    ['Yes\n', true],
    ['n\n', false],
    ['\n', false],
  ])('at a terminal, %j', async (answer, yes) => {
    const io = fakeIo({}, answer);
    expect(await confirmed(new Args({}), io, 'Sure?')).toBe(yes);
    expect(await io.printed()).toContain('Sure? [y/N]');
  });

  test('--force answers; elsewhere nobody does', async () => {
    expect(await confirmed(new Args({ force: true }), fakeIo(), 'Sure?')).toBe(true);
    await expect(confirmed(new Args({}), fakeIo(), 'Sure?')).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});

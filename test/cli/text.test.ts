import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { Args } from '../../cli/args.js';
import { confirmed } from '../../cli/confirm.js';
import { reportError } from '../../cli/error-report.js';
import { heldElsewhere, heldText } from '../../cli/held-jobs.js';
import type { Io } from '../../cli/io.js';
import { reportJob } from '../../cli/job-report.js';
import { findJsonProblem } from '../../cli/json-position.js';
import { createLogger } from '../../cli/logger.js';
import { createOutput } from '../../cli/output.js';
import { plain, plainLines, safeJson } from '../../cli/plain-text.js';
import { nearTimeText, spanText } from '../../cli/time-text.js';
import { memory } from '../../drivers/memory/index.js';
import { withoutCredentials } from '../../src/credentials.js';
import { createQueue, QueueError } from '../../src/index.js';

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
  [3_600_000, '1 h'],
  [4_980_000, '1 h 23 min'],
  [7_199_999, '2 h'],
  [172_799_999, '48 h'],
  [172_800_000, '2 d'],
  [864_000_000 + 7_200_000, '10 d 2 h'],
])('%i ms is %s', (ms, shown) => {
  expect(spanText(ms)).toBe(shown);
});

test('a near time has its date only on another day', () => {
  const noon = new Date(2026, 10, 21, 12, 0, 5).getTime();
  expect(nearTimeText(noon + 3_600_000, noon)).toBe('13:00:05');
  expect(nearTimeText(noon + 12 * 3_600_000, noon)).toBe('2026-11-22 00:00:05');
});

describe('errors', () => {
  test('a QueueError: code, message and fix, never a stack', async () => {
    const io = fakeIo({ DROVER_DEBUG: '1' });
    reportError(new QueueError('E_JOB_NAME', 'line\nbreak', { fix: 'mend it' }), io, false);
    expect(await io.printed()).toBe('error E_JOB_NAME: line\\nbreak\n  fix: mend it\n');
  });

  test.each(['E_CONFIG', 'E_JOB_FILE'] as const)(
    '%s lists: a line for each, harmless and indented',
    async (code) => {
      const io = fakeIo();
      reportError(
        new QueueError(code, '2 problems\n  a: x\x1b[2J\rb\nerror E_FAKE: no', { fix: 'm\nn' }),
        io,
        false,
      );
      expect(await io.printed()).toBe(
        `error ${code}: 2 problems\n  a: x\\x1b[2J\\rb\n  error E_FAKE: no\n  fix: m\\nn\n`,
      );
    },
  );

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

test('held jobs: a store that does not answer is passed over', async () => {
  const queue = createQueue({ connections: { default: memory() } });
  expect(await heldElsewhere(['a', 'b'], queue)).toBe(0);
  await queue.close();
  expect(await heldElsewhere(['a', 'b'], queue)).toBeUndefined();
  expect([heldText(undefined), heldText(0)]).toEqual(['', '']);
});

test.each(['job:kept', 'job:unsettled'] as const)('%s: what comes next', (event) => {
  const lines: string[] = [];
  const output = { ...createOutput(fakeIo(), false), line: (line: string) => void lines.push(line) };
  const job = { id: 'i', name: 'n', queue: 'q', connection: 'c', attempts: 1, durationMs: 5 };
  reportJob({ ...job, event, error: { class: 'Error', message: 'no' } }, output, { recorded: true });
  expect(lines[0]).toContain('it runs again when its lease lapses, or fails where no try is left');
});

describe('the logger', () => {
  test('one line for people, whatever the fields hold', async () => {
    const io = fakeIo();
    const log = createLogger(io, false);
    log.warn({ id: 'x\n1', err: new Error('mysql://u:s3cr3t@h\x1b') }, 'could not\ndelete');
    log.debug({}, 'unseen');
    expect(await io.printed()).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}warn {3}could not\\ndelete {2}id=x\\n1 {2}Error: mysql:\/\/\*\*\*@h\\x1b\n$/,
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
      error: { class: 'TypeError', message: 'no' },
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

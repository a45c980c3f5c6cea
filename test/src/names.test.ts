import { describe, expect, test } from 'vitest';
import { checkJobId, checkJobName, checkQueueName } from '../../src/index.js';
import { checkWireName } from '../../src/names.js';

const hostile: readonly unknown[] = [
  '',
  ' ',
  'a b',
  'a\n',
  'a\0b',
  'a;b',
  "x' OR 1=1 --",
  '`',
  '"',
  '?',
  '{tag}',
  'a}:delayed',
  'naïve',
  '日本',
  '\u202e',
  '\ud800',
  null,
  undefined,
  1,
  {},
  ['a'],
];

/** One row of a table each, also where the value is a list. */
function rows(...values: unknown[]): [unknown][] {
  return values.map((value) => [value]);
}

describe('a queue name', () => {
  test.each([
    'default',
    'a',
    '1',
    '-',
    'high.priority',
    'mail:eu',
    'mail-eu_1',
    'delayed',
    'a:delayed:b',
    'x'.repeat(120),
  ])('can be %s', (name) => expect(checkQueueName(name)).toBe(name));

  test.each(rows(...hostile, 'a/b', 'a\\b', 'x'.repeat(121), 'mail:delayed', 'mail:reserved', 'mail:notify'))(
    'cannot be %j',
    (name) => {
      expect(() => checkQueueName(name)).toThrow(
        expect.objectContaining({ code: 'E_QUEUE_NAME', fix: expect.stringContaining('1 to 120') }),
      );
    },
  );
});

describe('a job name', () => {
  test.each([
    'a',
    '_',
    'mail.send',
    'App\\Job\\Mail',
    'app/jobs/mail',
    'a:b',
    'a-b',
    'constructor',
    'x'.repeat(190),
  ])('can be %s', (name) => expect(checkJobName(name)).toBe(name));

  test.each(
    rows(
      ...hostile,
      '1a',
      '-a',
      '.a',
      '/etc/passwd',
      '../a',
      'a..b',
      'a/../b',
      'Dismiss@task1',
      'data:text/javascript,1',
      'x'.repeat(191),
    ),
  )('cannot be %j', (name) => {
    expect(() => checkJobName(name)).toThrow(expect.objectContaining({ code: 'E_JOB_NAME' }));
  });
});

describe('a wire name', () => {
  test.each(['mail.send', 'Dismiss@fire', 'Dismiss@task1', 'App\\Job@_x', `a@${'m'.repeat(64)}`])(
    'can be %s',
    (name) => expect(checkWireName(name)).toBe(name),
  );

  test.each(
    rows(
      ...hostile,
      '@',
      '@task',
      'Dismiss@',
      'Dismiss@1',
      'Dismiss@a.b',
      'Dismiss@a@b',
      'Dismiss@a-b',
      `a@${'m'.repeat(65)}`,
    ),
  )('cannot be %j', (name) => {
    expect(() => checkWireName(name)).toThrow(expect.objectContaining({ code: 'E_JOB_NAME' }));
  });
});

describe('a job id', () => {
  test.each(['1', 'order-1:mail.x_y', '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', 'x'.repeat(64)])(
    'can be %s',
    (id) => {
      expect(checkJobId(id)).toBe(id);
    },
  );

  test.each(rows(...hostile, 'a/b', 'x'.repeat(65)))('cannot be %j', (id) => {
    expect(() => checkJobId(id)).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_INVALID', fix: expect.stringContaining('1 to 64') }),
    );
  });
});

test('a name that JSON cannot show is refused as any other', () => {
  expect(() => checkQueueName(1n)).toThrow(expect.objectContaining({ code: 'E_QUEUE_NAME' }));
  expect(() => checkJobName(1n)).toThrow(expect.objectContaining({ code: 'E_JOB_NAME' }));
  expect(() => checkWireName(1n)).toThrow(expect.objectContaining({ code: 'E_JOB_NAME' }));
  expect(() => checkJobId(1n)).toThrow(expect.objectContaining({ code: 'E_PAYLOAD_INVALID' }));
});

import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { classWithCode, describeError, partsOfClass } from '../../src/error-text.js';

class PaymentError extends Error {
  override readonly name = 'PaymentError';
}

/** Throws whatever is done to it. */
function hostileProxy(target: object): object {
  const trap = () => {
    throw new Error('trapped');
  };
  return new Proxy(target, {
    get: trap,
    has: trap,
    getPrototypeOf: trap,
    ownKeys: trap,
    getOwnPropertyDescriptor: trap,
    apply: trap,
  });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('an error is told by', () => {
  test('its class, message and stack', () => {
    const error = new PaymentError('card refused');
    expect(describeError(error)).toEqual({
      class: 'PaymentError',
      message: 'card refused',
      stack: error.stack,
      causes: [],
    });
  });

  test('those of another realm as well', () => {
    expect(describeError(runInNewContext('new TypeError("foreign")'))).toMatchObject({
      class: 'TypeError',
      message: 'foreign',
      stack: expect.stringContaining('foreign'),
    });
  });

  test('its causes, as far as five', () => {
    let error = new Error('root');
    for (let level = 1; level <= 8; level++) error = new Error(`level ${level}`, { cause: error });
    expect(describeError(error).causes.map((cause) => cause.message)).toEqual([
      'level 7',
      'level 6',
      'level 5',
      'level 4',
      'level 3',
    ]);
    expect(describeError(new Error('x', { cause: 'a word' })).causes).toEqual([
      { class: 'NonErrorThrown', message: 'a word' },
    ]);
  });

  test('and nothing else: other properties may hold secrets', () => {
    const error = Object.assign(new Error('refused'), {
      password: 's3cr3t-CANARY',
      config: { url: 's3cr3t-CANARY' },
    });
    expect(JSON.stringify(describeError(error))).not.toContain('CANARY');
    expect(JSON.stringify(describeError({ message: 'm', token: 's3cr3t-CANARY' }))).not.toContain('CANARY');
    expect(JSON.stringify(describeError(Object.assign(() => {}, { token: 's3cr3t-CANARY' })))).not.toContain(
      'CANARY',
    );
  });
});

describe('a code', () => {
  const withCode = (code: unknown) => Object.assign(new Error('x'), { code });

  test.each([
    ['ECONNREFUSED', 'ECONNREFUSED'],
    ['23505', '23505'],
    [11000, '11000'],
    ['auth/no-such-user', 'auth/no-such-user'],
  ])('%s is told', (code, text) => {
    expect(describeError(withCode(code))).toMatchObject({ class: 'Error', code: text });
    expect(describeError(new Error('x', { cause: withCode(code) })).causes).toMatchObject([{ code: text }]);
  });

  test.each([[undefined], [''], ['two words'], ['x'.repeat(65)], [1.5], [{}], ['a\0']])(
    '%s is none',
    (code) => {
      expect('code' in describeError(withCode(code))).toBe(false);
    },
  );

  test.each([
    ['Error', 'EPIPE', 'Error [EPIPE]'],
    ['Error', undefined, 'Error'],
    ['TypeError [ERR_X]', 'ERR_X', 'TypeError [ERR_X]'],
  ])('%s with %s is kept beside the class, and found again', (name, code, kept) => {
    const text = { class: name, message: '', ...(code !== undefined && { code }) };
    expect(classWithCode(text)).toBe(kept);
    expect(partsOfClass(kept)).toEqual({
      class: name.split(' ')[0],
      ...(code !== undefined && { code }),
    });
  });
});

test('credentials of URLs are left out wherever they stand, also where the text is cut', () => {
  const url = 'postgres://ada:s3cr3t-CANARY@db/x?password=s3cr3t-CANARY&ssl=1';
  const error = new Error(`cannot reach ${url}`, { cause: new Error('deeper', { cause: url }) });
  error.stack = `Error: cannot reach ${url}\n    at file:///srv/@app/x.js`;
  const told = JSON.stringify(describeError(error));
  expect(told).not.toContain('CANARY');
  expect(told).toContain('postgres://***@db/x?password=***&ssl=1');
  expect(told).toContain('file:///srv/@app/x.js');
  for (let pad = 8100; pad < 8200; pad++) {
    expect(describeError(`${'x'.repeat(pad)} ${url}`).message).not.toContain('s3cr3t');
  }
});

describe('what is no error is told too', () => {
  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['a word', 'a word'],
    ['', ''],
    [0, '0'],
    [10n, '10n'],
    [Symbol('s'), 'Symbol(s)'],
    [{ message: 'from an object' }, 'from an object'],
    [{}, '(an object without a message)'],
    [[1, 2], '(an object without a message)'],
    [Object.freeze({ message: 'frozen' }), 'frozen'],
  ])('%o', (thrown, message) => {
    expect(describeError(thrown)).toEqual({ class: 'NonErrorThrown', message, stack: '', causes: [] });
  });

  test('a frozen error', () => {
    expect(describeError(Object.freeze(new Error('frozen')))).toMatchObject({
      class: 'Error',
      message: 'frozen',
    });
  });
});

describe('nothing that was thrown makes it throw', () => {
  const throwing = {
    get() {
      throw new Error('no');
    },
  };
  const withThrowingGetters = Object.defineProperties(new Error('x'), {
    // The stack first: Node makes its text, with the name and the message, when it is touched.
    stack: throwing,
    name: throwing,
    message: throwing,
    cause: throwing,
  });
  const withInspect = Object.assign(() => {}, {
    [inspect.custom]() {
      throw new Error('inspected');
    },
  });
  const circular = new Error('circular');
  circular.cause = circular;

  test.each<[string, () => unknown]>([
    ['an error whose getters throw', () => withThrowingGetters],
    [
      'an error whose parts are no text',
      () => Object.assign(new Error(), { name: 1, message: {}, stack: null }),
    ],
    ['a proxy whose traps throw', () => hostileProxy({})],
    ['a proxy of an error whose traps throw', () => hostileProxy(new Error('x'))],
    ['a proxy of a function whose traps throw', () => hostileProxy(() => {})],
    ['a revoked proxy', () => revoked()],
    ['a function that cannot be inspected', () => withInspect],
    ['an object without prototype', () => Object.create(null)],
    ['a circular cause', () => circular],
    ['a cause that cannot be read', () => new Error('x', { cause: hostileProxy({}) })],
    ['a cause that cannot be inspected', () => new Error('x', { cause: withInspect })],
  ])('%s', (_, make) => {
    const thrown = make();
    const text = describeError(thrown);
    expect([text.class, text.message, text.stack].every((part) => typeof part === 'string')).toBe(true);
    expect(text.causes.length).toBeLessThanOrEqual(5);
    expect(() => JSON.stringify(text)).not.toThrow();
  });
});

describe('the text can be stored anywhere', () => {
  test('five million characters are cut, and it says so', () => {
    const text = describeError(new Error('x'.repeat(5_000_000)));
    expect(text.message).toHaveLength(8192 + '… (5000000 characters)'.length);
    expect(text.message.endsWith('… (5000000 characters)')).toBe(true);
    expect(text.stack.length).toBeLessThan(33_000);
    expect(describeError('y'.repeat(5_000_000)).message.length).toBeLessThan(9000);
    expect(
      describeError(new Error('x', { cause: new Error('z'.repeat(5_000_000)) })).causes[0]?.message.length,
    ).toBeLessThan(9000);
    expect(
      describeError(Object.assign(new Error('x'), { name: 'n'.repeat(5_000_000) })).class.length,
    ).toBeLessThan(300);
  });

  test('a message of NULs is bounded as well, though each becomes two characters', () => {
    expect(describeError('\0'.repeat(100_000)).message.length).toBeLessThan(17_000);
  });

  test('NUL and halves of surrogate pairs are replaced, also where the cut makes one', () => {
    expect(describeError(new Error('a\0b')).message).toBe('a\\0b');
    expect(describeError(new Error('a\0b')).stack).not.toContain('\0');
    expect(describeError('\ud800x').message).toBe('\ufffdx');
    const cutInTwo = describeError(`${'x'.repeat(8191)}🐢`);
    expect(cutInTwo.message.isWellFormed()).toBe(true);
  });
});

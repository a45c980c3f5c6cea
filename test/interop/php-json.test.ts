import { afterAll, describe, expect, test } from 'vitest';
import { decodePhpJson, encodePhpJson, type PhpValue, recodePhpJson } from '../../src/index.js';
import { golden } from '../support/golden.js';
import { emulatedPhp, isPhpInstalled, openPhp } from '../support/php.js';

const { texts, doubles } = golden<{
  readonly texts: readonly {
    readonly in: string;
    readonly out?: string;
    readonly out_pretty_unescaped?: string;
  }[];
  readonly doubles: readonly { readonly hex_le: string; readonly php: string }[];
}>('php-json');

const installed = openPhp();
afterAll(() => installed.close());

test('all that was recorded is there', () => {
  expect([texts.length, doubles.length]).toEqual([92, 490]);
});

// Where php is not installed, both are the emulation.
describe.each([
  ['the emulation', emulatedPhp],
  [isPhpInstalled ? 'php' : 'what stands in for php', installed],
])('%s', (_, php) => {
  test('decodes and encodes every recorded text as PHP did', async () => {
    const outs = await Promise.all(texts.map((text) => php.recode(text.in)));
    expect(outs).toEqual(texts.map(({ out }) => out ?? undefined));
  });

  test('prints every recorded double as PHP did', async () => {
    const outs = await Promise.all(doubles.map((double) => php.recode(double.php)));
    expect(outs).toEqual(doubles.map((double) => double.php));
  });

  test('counts attempts up as PHP does, and refuses a payload without them', async () => {
    const texts = ['{"attempts":0,"b":{}}', '{"b":1,"attempts":7}', '{"attempts":"3"}', '{"attempts":null}'];
    expect(await Promise.all(texts.map((text) => php.countUp(text)))).toEqual([
      '{"attempts":1,"b":[]}',
      '{"b":1,"attempts":8}',
      '{"attempts":4}',
      '{"attempts":1}',
    ]);
    for (const text of ['{}', '[]', '0', 'no JSON']) {
      await expect(php.countUp(text)).rejects.toThrow('Undefined array key "attempts"');
    }
  });
});

test('with JSON_UNESCAPED_UNICODE and JSON_PRETTY_PRINT every recorded text comes out as of PHP', () => {
  const taken = texts.filter(({ out }) => typeof out === 'string');
  expect(taken.length).toBe(86);
  const outs = taken.map((text) => recodePhpJson(text.in, { unescapedUnicode: true, pretty: true }));
  expect(outs).toEqual(taken.map((text) => text.out_pretty_unescaped));
});

test('doubles come out of their bytes as PHP printed them', () => {
  const values = doubles.map((double) => Buffer.from(double.hex_le, 'hex').readDoubleLE());
  expect(values.map((value) => encodePhpJson(value))).toEqual(doubles.map((double) => double.php));
});

test('objects keep what they are, and fields that are undefined are left out', () => {
  const value = { o: {}, e: [], m: new Map(), l: new Map([['0', 'a']]), u: undefined as unknown as PhpValue };
  expect(encodePhpJson(value)).toBe('{"o":{},"e":[],"m":[],"l":["a"]}');
  expect(encodePhpJson({ o: {}, l: [{}] }, { pretty: true })).toBe(
    '{\n    "o": {},\n    "l": [\n        {}\n    ]\n}',
  );
});

test('what PHP refuses is refused', () => {
  const refused = expect.objectContaining({ code: 'E_PAYLOAD_INVALID' });
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', nested(513)]) {
    expect(() => encodePhpJson(value)).toThrow(refused);
  }
  for (const text of ['\u00a0[]', `${'['.repeat(512)}${']'.repeat(512)}`, '"\\udc00"', '[1 2]', '{"a" 1}']) {
    expect(() => decodePhpJson(text), text).toThrow(refused);
  }
  expect(encodePhpJson(nested(512))).toBe('['.repeat(512) + ']'.repeat(512));
  expect(recodePhpJson('['.repeat(511) + ']'.repeat(511)).length).toBe(1022);
});

function nested(depth: number): PhpValue {
  let value: PhpValue = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

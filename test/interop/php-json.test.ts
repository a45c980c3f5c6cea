import { afterAll, describe, expect, test } from 'vitest';
import { golden } from '../support/golden.js';
import { emulatedPhp, isPhpInstalled, openPhp } from '../support/php.js';
import { phpDecode, phpEncode } from '../support/php-json.js';

const { texts, doubles } = golden<{
  readonly texts: readonly { readonly in: string; readonly out?: string }[];
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

test('doubles come out of their bytes as PHP printed them', () => {
  const values = doubles.map((double) => Buffer.from(double.hex_le, 'hex').readDoubleLE());
  expect(values.map(phpEncode)).toEqual(doubles.map((double) => double.php));
});

test('what PHP cannot encode is refused', () => {
  expect([Number.NaN, Number.POSITIVE_INFINITY, '\ud800'].map(phpEncode)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(phpDecode('\u00a0[]')).toBeUndefined();
});

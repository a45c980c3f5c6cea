import fc from 'fast-check';

/** Data that a push takes, with text from all of Unicode; but for `-0`, which JSON makes `0`. */
export const data: fc.Arbitrary<unknown> = fc
  .jsonValue({ stringUnit: 'grapheme' })
  .map((value) => JSON.parse(JSON.stringify(value)));

/** Texts that look like a place of attempts and are none. */
const decoy = fc.constantFrom('"attempts":7', '{"attempts":3}', ',"attempts":1}', '\\"attempts\\":2', '}]{');

/** Names of fields beside `attempts`. */
const name = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), decoy, fc.constant('attempt'))
  .filter((text) => text !== 'attempts' && text !== '__proto__');

/** Values in which `attempts` may stand too, deeper down or in a text. */
const value: fc.Arbitrary<unknown> = fc.oneof(
  data,
  decoy,
  fc.nat().map((attempts) => ({ attempts })),
  fc.nat().map((attempts) => [{ attempts, more: { attempts } }]),
);

/** An object with `attempts` somewhere among its own fields, as JSON, dense or in lines; and the fields without it. */
export const withAttempts: fc.Arbitrary<{ readonly text: string; readonly attempts: number }> = fc
  .record({
    fields: fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 6 }),
    at: fc.nat({ max: 6 }),
    attempts: fc.nat({ max: 999_999_999 }),
    indent: fc.constantFrom(0, 2, '\t'),
  })
  .map(({ fields, at, attempts, indent }) => {
    const all: [string, unknown][] = [...fields];
    all.splice(at, 0, ['attempts', attempts]);
    // Not by an object, which would sort names that are numbers.
    const parts = all.map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one, null, indent)}`);
    const space = indent === 0 ? '' : '\n ';
    return { text: `{${space}${parts.join(`,${space}`)}${space}}`, attempts };
  });

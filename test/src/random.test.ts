import { afterEach, expect, test, vi } from 'vitest';
import { randomText, randomUuid } from '../../src/random.js';

const { platform } = process;

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
});

test('texts are as long as asked for, and no two alike', () => {
  const texts = Array.from({ length: 5000 }, () => randomText(9));
  for (const text of texts) expect(text).toMatch(/^[\da-f]{18}$/);
  expect(new Set(texts).size).toBe(texts.length);
  expect(randomText(4096)).not.toBe(randomText(4096));
  expect(randomText(12, 'base64url')).toMatch(/^[\w-]{16}$/);
});

test('every bit is set about half the time', () => {
  const set = new Array<number>(64).fill(0);
  for (let round = 0; round < 2000; round += 1) {
    const bits = BigInt(`0x${randomText(8)}`);
    for (let bit = 0; bit < 64; bit += 1)
      set[bit] = (set[bit] as number) + Number((bits >> BigInt(bit)) & 1n);
  }
  // Nine standard deviations: never seen of chance.
  expect(Math.min(...set)).toBeGreaterThan(800);
  expect(Math.max(...set)).toBeLessThan(1200);
});

test('a uuid is one of version 4', () => {
  const uuids = Array.from({ length: 1000 }, randomUuid);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(uuids).size).toBe(uuids.length);
  expect(new Set(uuids.map((uuid) => uuid[19])).size).toBe(4);
});

test('a system without the file has them from node:crypto', async () => {
  Object.defineProperty(process, 'platform', { value: 'win32' });
  vi.resetModules();
  const fresh = await import('../../src/random.js');
  const texts = Array.from({ length: 1000 }, () => fresh.randomText(8));
  expect(new Set(texts).size).toBe(texts.length);
});

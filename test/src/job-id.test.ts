import { expect, test } from 'vitest';
import { newJobId } from '../../src/job-id.js';

test('an id is a UUID of version 7 that tells its time', () => {
  const id = newJobId(4_000_000_000_123);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(4_000_000_000_123);
});

test('ids of one process rise, within a millisecond and when the clock goes back', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => newJobId(4_100_000_000_000 - (index % 3)));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

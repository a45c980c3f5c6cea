import { expect, test } from 'vitest';
import { redact } from '../../config/redact.js';
import { database } from '../../drivers/database/index.js';
import { redis } from '../../drivers/redis/index.js';

test.each([
  ['redis://u:p@ss@host/1', 'redis://***@host/1'],
  ['mysql://app:s3cr3t/CAN@RY#1@db/app', 'mysql://***@db/app'],
  ['redis://:a b\'c"d@host', 'redis://***@host'],
  ['redis://u:p://q@host', 'redis://***@host'],
  ['redis://u:p,q=r(s@host', 'redis://***@host'],
  [`redis://u:a@b and "mysql://c:d@e", f@g`, `redis://***@b and "mysql://***@g`],
  ['user:password@host of redis://user:password@host:1/2@real', 'user:password@host of redis://***@real'],
  ['redis://user:password@host.example/', 'redis://***@host.example/'],
  ['at file:///app/node_modules/@x/y.js', 'at file:///app/node_modules/@x/y.js'],
  ['https://example.org/a\nada@example.org', 'https://example.org/a\nada@example.org'],
])('%s', (text, shown) => {
  expect(redact(text)).toBe(shown);
});

test.each([() => database('sqlit:./x'), () => database('mssql:x'), () => redis('127.0.0.1:6391')])(
  'the examples in the fix of an error stay as they are: %s',
  (make) => {
    let fix = '';
    try {
      make();
    } catch (error) {
      ({ fix = '' } = error as { fix?: string });
    }
    expect(fix).toContain('://user:password@host');
    expect(redact(fix)).toBe(fix);
  },
);

test('a long text without an end takes no long time', () => {
  const started = performance.now();
  redact(`${'a://'.repeat(5000)} ${"'x://".repeat(5000)}`);
  expect(performance.now() - started).toBeLessThan(2000);
});

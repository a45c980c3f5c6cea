import knex, { type Knex } from 'knex';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connector } from '../../src/index.js';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('mariadb');
const job = { id: 'a', body: '{}' };

const bigNumbers: Knex.MySql2ConnectionConfig['typeCast'] = (
  field: { type: string; string(): string },
  next: () => unknown,
) => (field.type === 'LONGLONG' ? BigInt(field.string()) : next());

beforeAll(() => sandbox.make());
afterAll(() => sandbox.clean());

test.each([
  ['rows as lists', { rowsAsArray: true }],
  ['rows by their tables', { nestTables: true }],
  ['values as bytes', { typeCast: false }],
  ['numbers of its own', { typeCast: bigNumbers }],
  ['values by name', { namedPlaceholders: true }],
])('a connection that the application has set up for %s serves jobs as any other', async (_, settings) => {
  const connection = { uri: sandbox.url, ...settings } as Knex.MySql2ConnectionConfig;
  const instance = knex({ client: 'mysql2', version: '10.11.0', connection });
  const connector: Connector = sandbox.open({ knex: instance });
  await connector.migrate?.();
  try {
    expect(await connector.push('mail', [job])).toEqual(['stored']);
    expect(await connector.push('mail', [job])).toEqual(['already-there']);
    await connector.push('mail', [{ id: 'b', body: '{}' }]);
    const [taken, other] = await connector.reserve(['mail'], 2, 60_000);
    expect(await connector.delete(other ? [other.lease] : [])).toEqual([true]);
    expect(taken).toMatchObject({ ...job, attempts: 1 });
    expect(await connector.size('mail')).toEqual({ ready: 0, delayed: 0, reserved: 1 });
    expect(await connector.delete(taken ? [taken.lease] : [])).toEqual([true]);
  } finally {
    await connector.close();
    await instance.destroy();
  }
});

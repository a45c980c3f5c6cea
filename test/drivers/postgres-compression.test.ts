import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSandbox } from '../support/server-sandbox.js';

const sandbox = new ServerSandbox('postgres');
const long = JSON.stringify({ text: 'a word and another '.repeat(1000) });

beforeAll(async () => {
  await sandbox.make();
  await sandbox.open().migrate();
});
afterAll(() => sandbox.clean());

async function compressionOf(id: string): Promise<unknown> {
  const [row] = await sandbox.sql(
    `SELECT pg_column_compression(payload) AS how FROM jobs WHERE job_id = '${id}'`,
  );
  return row?.how;
}

test('long payloads are compressed with lz4', async () => {
  await sandbox.open().push('mail', [{ id: 'quick', body: long }]);
  expect(await compressionOf('quick')).toBe('lz4');
});

test('where the server was told how to compress, so it is', async () => {
  const [{ name } = {}] = await sandbox.sql('SELECT current_database() AS name');
  await sandbox.sql(`ALTER DATABASE ${name} SET default_toast_compression = 'pglz'`);
  await sandbox.open().push('mail', [{ id: 'as-told', body: long }]);
  await sandbox.sql(`ALTER DATABASE ${name} RESET default_toast_compression`);
  expect(await compressionOf('as-told')).toBe('pglz');
});

test('who may not see the settings of the server has a connection all the same', async () => {
  const [{ user } = {}] = await sandbox.sql(`SELECT 'u_' || current_database() AS user`);
  await sandbox.sql(`
    REVOKE SELECT ON pg_settings FROM PUBLIC;
    CREATE ROLE ${user} LOGIN;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user};
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${user}`);
  const connector = sandbox.open({ url: sandbox.url.replace(/\/\/\w+@/, `//${user}@`) });
  try {
    expect(await connector.push('mail', [{ id: 'unseen', body: long }])).toEqual(['stored']);
    expect(await compressionOf('unseen')).toBe('pglz');
  } finally {
    await connector.close();
    await sandbox.sql(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
  }
});

import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openSingle } from '../../drivers/database/single.js';

function openMemory() {
  return openSingle<Database.Database>(
    { configure: () => {} },
    {
      client: 'better-sqlite3',
      open: () => new Database(':memory:'),
      close: (connection) => void connection.close(),
    },
  );
}

const one = (connection: Database.Database) => connection.prepare('SELECT 1').pluck().get();

test('is answered at once where the connection is open and free', async () => {
  const client = openMemory();
  expect(client.use(one)).toBeInstanceOf(Promise);
  await client.use(one);
  expect(client.use(one)).toBe(1);
  expect(() =>
    client.use(() => {
      throw new Error('refused');
    }),
  ).toThrow('refused');
  expect(client.use(one)).toBe(1);
  await client.destroy();
});

test('a task that waits has the connection to itself', async () => {
  const client = openMemory();
  await client.use(one);
  const done: string[] = [];
  let resolve = (): void => {};
  const promise = new Promise<void>((go) => {
    resolve = go;
  });
  const slow = client.use(async () => {
    await promise;
    done.push('slow');
  });
  const behind = [client.use(() => void done.push('second')), client.use(() => void done.push('third'))];
  expect(behind[0]).toBeInstanceOf(Promise);
  resolve();
  await Promise.all([slow, ...behind]);
  expect(done).toEqual(['slow', 'second', 'third']);
  const refused = client.use(() => Promise.reject(new Error('refused')));
  const next = client.use(one);
  await expect(refused).rejects.toThrow('refused');
  expect(await next).toBe(1);
  expect(client.use(one)).toBe(1);
  await client.destroy();
});

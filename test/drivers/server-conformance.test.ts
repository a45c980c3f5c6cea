import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Internals } from '../../drivers/database/connect.js';
import type { DatabaseOptions } from '../../drivers/database/options.js';
import type { HarnessFactory } from '../conformance/index.js';
import { startPgbouncer } from '../support/pgbouncer-server.js';
import { runConformance } from '../support/run-conformance.js';
import type { DatabaseServer } from '../support/server-process.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';

const tables = ['jobs', 'failed_jobs', 'queue_signals', 'queue_workers', 'queue_statistics', 'queue_history'];

/** The cases share their tables, which each leaves empty: to make them takes longer than most cases. */
function factoryFor(
  sandbox: ServerSandbox,
  internals: Internals,
  options: () => Partial<DatabaseOptions> = () => ({}),
): HarnessFactory {
  const prefix = 'shared_';
  let isMade = false;
  return {
    async open() {
      const connector = sandbox.open({ prefix, ...options() }, internals);
      const other = sandbox.open({ prefix, ...options() }, internals);
      if (!isMade) await connector.migrate();
      isMade = true;
      return {
        connector,
        other,
        now: () => sandbox.now(),
        async advance(ms) {
          await sandbox.advance(ms, `${prefix}jobs`);
          await sandbox.sql(`UPDATE ${prefix}queue_workers SET until_at = until_at - ${ms}`);
        },
        async close() {
          await Promise.all([connector.close(), other.close()]);
          for (const table of tables) await sandbox.sql(`DELETE FROM ${prefix}${table}`);
        },
      };
    },
  };
}

/** What the way without SKIP LOCKED does in its own way: it reserves. */
const reserving = /^(?:reserve|lease|order|concurrency|fencing|unreserve|real time): /;

const ways: readonly { name: string; kind: ServerName; internals: Internals; about?: RegExp }[] = [
  { name: 'MariaDB', kind: 'mariadb', internals: {} },
  {
    name: 'MariaDB without SKIP LOCKED',
    kind: 'mariadb',
    internals: { skipLocked: false },
    about: reserving,
  },
  { name: 'PostgreSQL', kind: 'postgres', internals: {} },
];

describe.each(ways)('$name', ({ kind, internals, about }) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  runConformance(factoryFor(sandbox, internals), kind === 'mariadb' ? ['deleteAndReserve'] : [], about);
});

describe('PostgreSQL behind PgBouncer in transaction mode', () => {
  const sandbox = new ServerSandbox('postgres');
  let bouncer: DatabaseServer;
  const url = (): string => {
    const { pathname, port } = new URL(sandbox.url);
    return sandbox.url.replace(`:${port}${pathname}`, `:${bouncer.port}${pathname}`);
  };
  beforeAll(async () => {
    await sandbox.make();
    bouncer = await startPgbouncer(Number(new URL(sandbox.url).port));
  });
  afterAll(async () => {
    await bouncer.stop(); // first: it keeps sessions in the database
    await sandbox.clean();
  });

  runConformance(
    factoryFor(sandbox, {}, () => ({ url: url(), notify: false })),
    [],
  );

  test('where notify was left on, waits end in their time without an error', async () => {
    const prefix = sandbox.newPrefix();
    const [waiter, pusher] = [sandbox.open({ prefix, url: url() }), sandbox.open({ prefix, url: url() })];
    const { signal } = new AbortController();
    const job = (id: string) => ({ id, body: '{}' });
    await pusher.size('q');
    for (const id of ['a', 'b', 'c']) {
      const waiting = waiter.waitForJob?.(['q'], 300, signal);
      expect(await pusher.push('q', [job(id)])).toEqual(['stored']);
      await waiting;
      const jobs = await waiter.reserve(['q'], 10, 60_000);
      expect(jobs).toMatchObject([{ id }]);
      expect(await waiter.delete(jobs.map(({ lease }) => lease))).toEqual([true]);
    }
    await waiter.waitForJob?.(['q'], 300, signal);
    await Promise.all([waiter.close(), pusher.close()]);
  });
});

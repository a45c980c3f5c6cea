import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPgbouncer } from '../support/pgbouncer-server.js';
import { runConformance } from '../support/run-conformance.js';
import { serverHarness } from '../support/server-harness.js';
import type { DatabaseServer } from '../support/server-process.js';
import { ServerSandbox } from '../support/server-sandbox.js';

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
    serverHarness(sandbox, {}, () => ({ url: url(), notify: false })),
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

import { afterAll, beforeAll, describe } from 'vitest';
import type { Internals } from '../../drivers/database/connect.js';
import type { HarnessFactory } from '../conformance/index.js';
import { runConformance } from '../support/run-conformance.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';

/** Each case has tables of its own in one database. */
function factoryFor(sandbox: ServerSandbox, internals: Internals): HarnessFactory {
  return {
    async open() {
      const prefix = sandbox.newPrefix();
      const connector = sandbox.open({ prefix }, internals);
      const other = sandbox.open({ prefix }, internals);
      return {
        connector,
        other,
        now: () => sandbox.now(),
        advance: (ms) => sandbox.advance(ms, `${prefix}jobs`),
        async close() {
          await Promise.all([connector.close(), other.close()]);
          for (const table of ['jobs', 'failed_jobs', 'queue_signals']) {
            await sandbox.sql(`DROP TABLE IF EXISTS ${prefix}${table}`);
          }
        },
      };
    },
  };
}

const ways: readonly (readonly [string, ServerName, Internals])[] = [
  ['MariaDB', 'mariadb', {}],
  ['MariaDB without SKIP LOCKED', 'mariadb', { skipLocked: false }],
  ['PostgreSQL', 'postgres', {}],
];

describe.each(ways)('%s', (_, kind, internals) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  // MySQL tells other sessions nothing: the worker looks again by itself.
  runConformance(factoryFor(sandbox, internals), kind === 'postgres' ? [] : ['waitForJob']);
});

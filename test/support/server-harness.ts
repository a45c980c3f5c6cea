import type { Internals } from '../../drivers/database/connect.js';
import type { DatabaseOptions } from '../../drivers/database/options.js';
import type { HarnessFactory } from '../conformance/index.js';
import type { ServerSandbox } from './server-sandbox.js';

const tables = ['jobs', 'failed_jobs', 'queue_signals', 'queue_workers', 'queue_statistics', 'queue_history'];

/**
 * A database for the suite, with the server's clock, which is moved by moving all times that are stored.
 *
 * The cases share their tables, which each leaves empty: to make them takes longer than most cases.
 */
export function serverHarness(
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
          await sandbox.sql(tables.map((table) => `DELETE FROM ${prefix}${table}`).join('; '));
        },
      };
    },
  };
}

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

  // MySQL tells other sessions nothing: the worker looks again by itself.
  runConformance(
    factoryFor(sandbox, internals),
    kind === 'postgres' ? ['deleteAndReserve'] : ['deleteAndReserve', 'waitForJob'],
    about,
  );
});

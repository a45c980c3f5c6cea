import { afterAll, beforeAll, describe } from 'vitest';
import type { DatabaseOptions } from '../../drivers/database/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import { GivenIds, keepingIds } from '../support/own-ids.js';
import { about, aboutColumns, lacks } from '../support/php-tables-suite.js';
import { runConformance } from '../support/run-conformance.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';
import { inTier } from '../support/tier.js';

type Wire = NonNullable<DatabaseOptions['wire']>;

/** By the clock of a server, what was put off by nothing may be due while a case looks: it comes a second later. */
function bySeconds({ source }: RegExp): RegExp {
  return new RegExp(`^(?!fencing: after the job was settled by postpone)${source.slice(1)}`);
}

/** The collation of PHP's tables on MySQL and MariaDB takes the queues `Q` and `q` for one, for PHP as well. */
function whereCaseIsOne({ source }: RegExp): RegExp {
  return new RegExp(`^(?!clear: leaves other queues alone)${source.slice(1)}`);
}

/** Whole seconds take their time, and are the same for all databases: the files of SQLite have those cases. */
const quick = new RegExp(`^(?!real time: |waitForJob: ends when |order: 20,000)${about.source.slice(1)}`);

/** PHP's columns of times. */
const times: Readonly<Record<Wire, readonly [reserved: string, available: string]>> = {
  'think-3': ['reserve_time', 'available_time'],
  'think-1': ['reserved_at', 'available_at'],
  laravel: ['reserved_at', 'available_at'],
};

// What is left out here is worked beside PHP in test/interop/php-tables.test.ts, and on SQLite.
describe.each(
  inTier<{ kind: ServerName; wire: Wire; cases: RegExp }>(
    [
      { kind: 'mariadb', wire: 'think-3', cases: whereCaseIsOne(quick) },
      { kind: 'postgres', wire: 'think-1', cases: aboutColumns },
    ],
    [{ kind: 'postgres', wire: 'laravel', cases: quick }],
  ),
)('$wire on $kind', ({ kind, wire, cases }) => {
  const sandbox = new ServerSandbox(kind);
  beforeAll(async () => {
    await sandbox.make();
  });
  afterAll(() => sandbox.clean());

  const factory: HarnessFactory = {
    async open() {
      const [connector, other] = [sandbox.open({ wire }), sandbox.open({ wire })];
      const ids = new GivenIds();
      return {
        connector: keepingIds(connector, ids, 'moved'),
        other: keepingIds(other, ids, 'moved'),
        now: () => sandbox.now(),
        async advance(ms) {
          const moved = times[wire].map((column) => `${column} = ${column} - ${Math.ceil(ms / 1000)}`);
          await sandbox.sql(`UPDATE jobs SET ${moved.join(', ')}`);
        },
        async close() {
          await Promise.all([connector.close(), other.close()]);
          // Cases that only close their connectors make no tables.
          for (const table of ['jobs', 'failed_jobs']) {
            await sandbox.sql(`DELETE FROM ${table}`).catch(() => undefined);
          }
        },
      };
    },
  };
  runConformance(factory, lacks, bySeconds(cases));
});

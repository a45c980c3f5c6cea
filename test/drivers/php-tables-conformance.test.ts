import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type DatabaseOptions, database } from '../../drivers/database/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { Capability, HarnessFactory } from '../conformance/index.js';
import { GivenIds, keepingIds } from '../support/own-ids.js';
import { runConformance } from '../support/run-conformance.js';
import { type ServerName, ServerSandbox } from '../support/server-sandbox.js';

/** Attempts are never taken back, as they tell one delivery from the next; how long jobs wait is in no index. */
const lacks: readonly Capability[] = ['deleteAndReserve', 'unreserve', 'postpone', 'longestWaitMs'];

/** What PHP's columns have no room for, or what its index cannot tell. */
const exceptions = [
  // Ids are the rows': none is taken, and none swallowed.
  'concurrency: overlapping pushes of one id store one job',
  'push: (repeated in full|new jobs are stored beside|an id )',
  'push: ids and queues are told apart by every character',
  'retry: (answers per uuid|a live job of that id keeps the record|an id that was pushed before)',
  'fail: a new job of an id that failed',
  'failed store: (a record of the same connection|the same job id in another queue|finds by uuid and by job id)',
  // Jobs come in the order of their ids, as PHP takes them.
  'order: (the job due longest|a released job waits)',
  'release: each job has its own delay',
];

/** Drover's own tables beside those of PHP, which the suite is run on elsewhere. */
const elsewhere = ['signals: ', 'workers: ', 'statistics: ', 'history: '];
const about = new RegExp(`^(?!${[...exceptions, ...elsewhere].join('|')})`);

/** What depends on how the columns tell one delivery from the next. Each kind of table has the whole suite on one database. */
const aboutColumns = new RegExp(
  `^(?=reserve: |lease: |fencing: |release: |settle: |concurrency: |size: |clear: |fail: |retry: )${about.source.slice(1)}`,
);

type Wire = NonNullable<DatabaseOptions['wire']>;

describe.each<{ wire: Wire; cases: RegExp }>([
  { wire: 'think-3', cases: aboutColumns },
  { wire: 'think-1', cases: about },
  { wire: 'laravel', cases: aboutColumns },
])('$wire on SQLite', ({ wire, cases }) => {
  const factory: HarnessFactory = {
    async open({ realTime }) {
      const folder = mkdtempSync(join(tmpdir(), 'drover-php-tables-'));
      let nowMs = Date.now();
      const clock = realTime ? systemClock : { now: () => nowMs };
      const context = { connection: 'db', clock, logger: silentLogger, runInline: async () => {} };
      const driver = database({ url: `sqlite://${join(folder, 'queue.sqlite')}`, wire });
      const [connector, other] = [driver.connect(context), driver.connect(context)];
      const ids = new GivenIds();
      return {
        connector: keepingIds(connector, ids),
        other: keepingIds(other, ids),
        now: async () => clock.now(),
        advance: async (ms) => {
          nowMs += ms;
        },
        async close() {
          await Promise.all([connector.close(), other.close()]);
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
  runConformance(factory, lacks, cases);
});

/** The collation of PHP's tables on MySQL and MariaDB takes the queues `Q` and `q` for one, for PHP as well. */
function whereCaseIsOne({ source }: RegExp): RegExp {
  return new RegExp(`^(?!clear: leaves other queues alone)${source.slice(1)}`);
}

/** PHP's columns of times. */
const times: Readonly<Record<Wire, readonly [reserved: string, available: string]>> = {
  'think-3': ['reserve_time', 'available_time'],
  'think-1': ['reserved_at', 'available_at'],
  laravel: ['reserved_at', 'available_at'],
};

describe.each<{ kind: ServerName; wire: Wire; cases: RegExp }>([
  { kind: 'mariadb', wire: 'think-3', cases: whereCaseIsOne(about) },
  { kind: 'mariadb', wire: 'think-1', cases: whereCaseIsOne(aboutColumns) },
  { kind: 'mariadb', wire: 'laravel', cases: whereCaseIsOne(aboutColumns) },
  { kind: 'postgres', wire: 'think-3', cases: aboutColumns },
  { kind: 'postgres', wire: 'think-1', cases: aboutColumns },
  { kind: 'postgres', wire: 'laravel', cases: about },
])('$wire on $kind', ({ kind, wire, cases }) => {
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
  runConformance(factory, lacks, cases);
});

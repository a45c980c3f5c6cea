import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { database } from '../../drivers/database/index.js';
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
  'retry: (a live job of that id keeps the record|an id that was pushed before)',
  'fail: a new job of an id that failed',
  'failed store: (a record of the same connection|finds by uuid and by job id)',
  // Jobs come in the order of their ids, as PHP takes them.
  'order: (the job due longest|a released job waits)',
  'release: each job has its own delay',
];

/** Drover's own tables beside those of PHP, which the suite is run on elsewhere. */
const elsewhere = ['signals: ', 'workers: ', 'statistics: ', 'history: '];
const about = new RegExp(`^(?!${[...exceptions, ...elsewhere].join('|')})`);

const wires = ['think-3', 'think-1', 'laravel'] as const;

describe.each(wires)('%s on SQLite', (wire) => {
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
  runConformance(factory, lacks, about);
});

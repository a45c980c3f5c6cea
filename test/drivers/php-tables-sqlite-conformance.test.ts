import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import { GivenIds, keepingIds } from '../support/own-ids.js';
import { about, aboutColumns, lacks } from '../support/php-tables-suite.js';
import { runConformance } from '../support/run-conformance.js';

describe.each<{ wire: 'think-3' | 'think-1'; cases: RegExp }>([
  { wire: 'think-3', cases: aboutColumns },
  { wire: 'think-1', cases: about },
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { database } from '../../drivers/database/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';

/** A new file for each case, whose time is moved by hand, or the machine's for the cases in real time. */
export const sqliteHarness: HarnessFactory = {
  async open({ realTime }) {
    const folder = mkdtempSync(join(tmpdir(), 'drover-conformance-'));
    let nowMs = Date.now();
    const clock = realTime ? systemClock : { now: () => nowMs };
    const context = { connection: 'db', clock, logger: silentLogger, runInline: async () => {} };
    const driver = database(`sqlite://${join(folder, 'queue.sqlite')}`);
    const connector = driver.connect(context);
    const other = driver.connect(context);
    return {
      connector,
      other,
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

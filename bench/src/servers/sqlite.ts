import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../servers.js';

/** A folder for files of SQLite. */
export async function startSqlite(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  let places = 0;
  return {
    emptyPlace: async () => ({ store: 'sqlite', file: join(folder, `${places++}.sqlite`) }),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

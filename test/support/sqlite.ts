import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { connectDatabase } from '../../drivers/database/connect.js';
import type { DatabaseOptions } from '../../drivers/database/options.js';
import { readOptions } from '../../drivers/database/settings.js';
import { historyTable } from '../../migrations/index.js';
import { type Connector, type FailedJob, type FailedJobStore, silentLogger } from '../../src/index.js';

/** A folder for the files of one test file, and the connectors opened on them. */
export class SqliteSandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-sqlite-'));
  /** The time of every connector opened here, in ms since the epoch; moved by assigning. */
  nowMs = 1_700_000_000_000;
  #files = 0;
  readonly #opened: Connector[] = [];

  /** The path of a file that does not exist yet. */
  newFile(): string {
    this.#files += 1;
    return join(this.folder, `queue-${this.#files}.sqlite`);
  }

  /** The path of a file whose schema is from before a table. */
  async olderFile(table: string, migration: string): Promise<string> {
    const file = this.newFile();
    await this.open(file).migrate();
    const raw = new Database(file);
    raw.exec(`DROP TABLE ${table}; DELETE FROM ${historyTable} WHERE name = '${migration}'`);
    raw.close();
    return file;
  }

  /** A connector on a file, or with other options. Closed by `clean`. */
  open(options: string | DatabaseOptions, conflictBudgetMs?: number): SqliteConnector {
    const settings = readOptions(typeof options === 'string' ? { url: `sqlite://${options}` } : options);
    const context = {
      connection: 'db',
      clock: { now: () => this.nowMs },
      logger: silentLogger,
      runInline: async () => {},
    };
    const connector = connectDatabase(
      settings,
      context,
      conflictBudgetMs === undefined ? {} : { conflictBudgetMs },
    ) as SqliteConnector;
    this.#opened.push(connector);
    return connector;
  }

  /** Closes every connector and removes the folder. */
  async clean(): Promise<void> {
    await Promise.all(this.#opened.map((connector) => connector.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A connector with the optional verbs that the database driver has. */
export type SqliteConnector = Required<
  Pick<Connector, 'unreserve' | 'fail' | 'migrate' | 'schemaSql' | 'pushIn' | 'deleteIn' | 'signals'>
> &
  Connector & { readonly failedJobs: Required<FailedJobStore> };

/** A failed job's record with everything filled in. */
export function failedJob(fields: Partial<FailedJob> = {}): FailedJob {
  return {
    uuid: '0b2f1f0e-0000-4000-8000-000000000001',
    jobId: 'job-1',
    connection: 'db',
    queue: 'mail',
    name: 'mail.send',
    payload: '{"job":"mail.send"}',
    errorClass: 'TypeError',
    message: 'no address',
    stack: 'TypeError: no address\n    at send (mail.ts:1:1)',
    causes: [{ class: 'RangeError', message: 'index 4' }],
    attempts: 3,
    reason: 'max-tries',
    host: 'worker-1',
    pid: 4711,
    failedAtMs: 1_700_000_000_000,
    ...fields,
  };
}

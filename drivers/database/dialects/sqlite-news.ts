import { type FSWatcher, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock, Logger } from '../../../src/index.js';
import type { Alone, Listener, News } from './dialect.js';
import { prepared, type SqliteConnection } from './sqlite-connection.js';

/**
 * Changes of a SQLite file, told by the file system: each commit writes the file or one that SQLite keeps beside it,
 * whoever made it. This process's own commits are among them.
 */
export class SqliteNews implements News<SqliteConnection> {
  readonly #file: string;
  readonly #sql: string;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(file: string, table: string, clock: Clock, logger: Logger) {
    this.#file = file;
    this.#sql = `
SELECT min((
  SELECT available_at FROM "${table}" WHERE queue = wanted.value ORDER BY available_at, id LIMIT 1
)) AS due
FROM json_each(:queues) AS wanted`;
    this.#clock = clock;
    this.#logger = logger;
  }

  async listen(
    _: () => Promise<Alone<SqliteConnection>>,
    onChange: () => void,
    onEnd: () => void,
  ): Promise<Listener> {
    let watcher: FSWatcher;
    try {
      // SQLite keeps its log beside the file itself, not beside a link to it.
      const file = await realpath(this.#file);
      const name = basename(file);
      watcher = watch(dirname(file), { persistent: false }, (_change, changed) => {
        if (changed === null || changed.startsWith(name)) onChange();
      });
    } catch (error) {
      this.#warn(error);
      return { end: async () => {} };
    }
    watcher.on('error', (error) => {
      this.#warn(error);
      watcher.close();
      onEnd();
    });
    return { end: async () => watcher.close() };
  }

  /**
   * A commit writes first and can be seen a moment later, once the disk has it. So looks follow each change, at
   * doubling distances; they are also what remains where files cannot be watched.
   */
  lookAgainMs(quietMs: number): number {
    return Math.max(quietMs, 1);
  }

  msUntilDue(connection: SqliteConnection, queues: readonly string[]): number {
    const bound = { queues: JSON.stringify(queues) };
    const due = prepared<{ due: number | null }>(connection, this.#sql).get(bound)?.due;
    return due == null ? Number.POSITIVE_INFINITY : due - this.#clock.now();
  }

  #warn(error: unknown): void {
    const what = 'this SQLite file cannot be watched: idle workers look again by themselves';
    this.#logger.warn({ err: error, filename: this.#file }, what);
  }
}

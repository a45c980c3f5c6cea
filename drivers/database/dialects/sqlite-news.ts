import { type FSWatcher, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../../src/index.js';
import type { Alone, Hearing, Listener, News } from './dialect.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { SqlitePace } from './sqlite-pace.js';

/**
 * Changes of a SQLite file, told by the file system: each commit writes the file or one that SQLite keeps beside it,
 * whoever made it. This process's own commits are among them, and those to queues that nobody here waits for.
 */
export class SqliteNews implements News<SqliteConnection> {
  readonly #file: string;
  readonly #logger: Logger;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  async listen(_: () => Promise<Alone<SqliteConnection>>, hearing: Hearing): Promise<Listener> {
    const pace = new SqlitePace();
    const looking = {
      lookAgainMs: (quietMs: number) => pace.lookAgainMs(quietMs),
      shortestGapMs: () => pace.shortestGapMs(performance.now()),
    };
    let watcher: FSWatcher;
    try {
      // SQLite keeps its log beside the file itself, not beside a link to it.
      const file = await realpath(this.#file);
      const name = basename(file);
      watcher = watch(dirname(file), { persistent: false }, (_change, changed) => {
        if (changed !== null && !changed.startsWith(name)) return;
        pace.heard(performance.now());
        hearing.onChange(undefined, true);
      });
    } catch (error) {
      this.#warn(error);
      return { ...looking, end: async () => {} };
    }
    watcher.on('error', (error) => {
      this.#warn(error);
      watcher.close();
      hearing.onEnd();
    });
    return { ...looking, end: async () => watcher.close() };
  }

  #warn(error: unknown): void {
    const what = 'this SQLite file cannot be watched: idle workers look again by themselves';
    this.#logger.warn({ err: error, filename: this.#file }, what);
  }
}

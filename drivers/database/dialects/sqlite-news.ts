import { type FSWatcher, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Logger, monotonicMs } from '../../../src/index.js';
import type { Alone, Hearing, Listener, News } from './dialect.js';
import type { SqliteConnection } from './sqlite-connection.js';

/**
 * A commit writes first and can be seen a moment later, once the disk has it. So looks follow each change, at doubling
 * distances; they are also what remains where files cannot be watched. Where changes go on coming most are of other
 * queues, and a look serves many of them.
 */
const looking = { lookAgainMs: (quietMs: number) => Math.max(quietMs, 1), lookEveryMs: 15 };

/** For so long after a write of our own what is told of the file is taken for that one. */
const ownMs = 10;

/**
 * Changes of a SQLite file, told by the file system: each commit writes the file or one that SQLite keeps beside it,
 * whoever made it. This process's own commits are among them, and those to queues that nobody here waits for.
 */
export class SqliteNews implements News<SqliteConnection> {
  readonly #file: string;
  readonly #logger: Logger;
  #ownUntilMs = Number.NEGATIVE_INFINITY;
  #onOwn = () => {};

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  async listen(_: () => Promise<Alone<SqliteConnection>>, hearing: Hearing): Promise<Listener> {
    let watcher: FSWatcher;
    try {
      // SQLite keeps its log beside the file itself, not beside a link to it.
      const file = await realpath(this.#file);
      const name = basename(file);
      watcher = watch(dirname(file), { persistent: false }, (_change, changed) => {
        if (monotonicMs() < this.#ownUntilMs) return;
        if (changed === null || changed.startsWith(name)) hearing.onChange(undefined, true);
      });
      this.#onOwn = hearing.onVisible;
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

  /** This process has written what brings no job: one look follows, for what others may have written beside it. */
  wrote(): void {
    this.#ownUntilMs = monotonicMs() + ownMs;
    setTimeout(() => this.#onOwn(), ownMs).unref();
  }

  #warn(error: unknown): void {
    const what = 'this SQLite file cannot be watched: idle workers look again by themselves';
    this.#logger.warn({ err: error, filename: this.#file }, what);
  }
}

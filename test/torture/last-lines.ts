import { setMaxListeners } from 'node:events';
import { closeSync, type FSWatcher, fstatSync, openSync, readSync, watch } from 'node:fs';
import type { Project } from './project.js';

/** How long a process is waited for that comes to what is planned. */
export const waitsMs = 10_000;

/** What the processes of a run have written last in their ledgers, as they write it. */
export class LastLines {
  readonly #project: Project;
  /** Lets go of those who wait. */
  readonly #closed = new AbortController();
  #watcher: FSWatcher | undefined;

  constructor(project: Project) {
    this.#project = project;
    setMaxListeners(0, this.#closed.signal);
  }

  /** The next process of these whose last line is such a one; undefined where none comes. */
  async untilOneSays(last: RegExp, isMeant: (pid: number) => boolean): Promise<number | undefined> {
    const { signal } = this.#closed;
    if (signal.aborted) return undefined;
    this.#watcher ??= watch(this.#project.path('ledger')).setMaxListeners(0);
    return await new Promise((resolve) => {
      const timer = setTimeout(() => done(undefined), waitsMs);
      const look = (_: string, file: string | Buffer | null) => {
        const one = Number.parseInt(String(file), 10);
        if (last.test(this.lastOf(one)) && isMeant(one)) done(one);
      };
      const done = (one: number | undefined) => {
        clearTimeout(timer);
        this.#watcher?.off('change', look);
        signal.removeEventListener('abort', end);
        resolve(one);
      };
      const end = () => done(undefined);
      signal.addEventListener('abort', end);
      this.#watcher?.on('change', look);
    });
  }

  /** The last line of a process, or of what is no process ''. */
  lastOf(pid: number): string {
    return Number.isNaN(pid) ? '' : lastLineOf(this.#project.path(`ledger/${pid}.ndjson`));
  }

  close(): void {
    this.#closed.abort();
    this.#watcher?.close();
  }
}

/** Of a ledger, whose lines are short. */
function lastLineOf(path: string): string {
  const tail = Buffer.alloc(1024);
  const file = openSync(path, 'r');
  const bytes = readSync(file, tail, 0, tail.length, Math.max(0, fstatSync(file).size - tail.length));
  closeSync(file);
  const text = tail.subarray(0, bytes).toString();
  return text.slice(text.lastIndexOf('\n', text.length - 2) + 1);
}

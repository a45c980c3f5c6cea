import { setMaxListeners } from 'node:events';
import { closeSync, type FSWatcher, fstatSync, openSync, readSync, watch } from 'node:fs';
import type { Project } from './project.js';

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

  /** The next process of these whose last line is such a one; undefined where none comes in time. */
  untilOneSays(
    last: RegExp,
    isMeant: (pid: number) => boolean,
    withinMs: number,
  ): Promise<number | undefined> {
    return this.#untilOne((pid) => last.test(this.lastOf(pid)) && isMeant(pid), withinMs);
  }

  /** The next process of these that writes after it has written such a line lately. */
  untilOneSaid(
    line: RegExp,
    isMeant: (pid: number) => boolean,
    withinMs: number,
  ): Promise<number | undefined> {
    return this.#untilOne((pid) => isMeant(pid) && line.test(this.#tailOf(pid)), withinMs);
  }

  /** The last line of a process, or of what is no process ''. */
  lastOf(pid: number): string {
    const tail = this.#tailOf(pid);
    return tail.slice(tail.lastIndexOf('\n', tail.length - 2) + 1);
  }

  close(): void {
    this.#closed.abort();
    this.#watcher?.close();
  }

  async #untilOne(isIt: (pid: number) => boolean, withinMs: number): Promise<number | undefined> {
    const { signal } = this.#closed;
    if (signal.aborted) return undefined;
    this.#watcher ??= watch(this.#project.path('ledger')).setMaxListeners(0);
    return await new Promise((resolve) => {
      const timer = setTimeout(() => done(undefined), withinMs);
      const look = (_: string, file: string | Buffer | null) => {
        const one = Number.parseInt(String(file), 10);
        if (isIt(one)) done(one);
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

  #tailOf(pid: number): string {
    return Number.isNaN(pid) ? '' : tailOf(this.#project.path(`ledger/${pid}.ndjson`));
  }
}

/** The last lines of a ledger, which are short. */
function tailOf(path: string): string {
  const tail = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  const bytes = readSync(file, tail, 0, tail.length, Math.max(0, fstatSync(file).size - tail.length));
  closeSync(file);
  return tail.subarray(0, bytes).toString();
}

import { constants } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { loadCrypto } from './load-crypto.js';
import type { QueueConfig } from './queue-config.js';
import type { SignalStore } from './restart-signal.js';

/** More than a file with a signal has. */
const mostBytes = 256;
const head = '<?php\n//000000000000\n exit();?>\n';
/** think-queue 3 writes the digits, think-queue 1 PHP's `serialize()` form of the number. */
const content = /^<\?php\n\/\/\d{12}\n exit\(\);\?>\n(?:i:(\d{1,15});|(\d{1,15}))$/;

/** The file cache that a config names, where it names one. */
export function thinkFileCache({ thinkCache }: Pick<QueueConfig, 'thinkCache'>): SignalStore | undefined {
  return thinkCache === undefined ? undefined : new ThinkFileCache(thinkCache);
}

/**
 * The file cache of a ThinkPHP application, for the numbers that its signals are. Only files are read that are
 * written just so; anything else is no value.
 */
class ThinkFileCache implements SignalStore {
  readonly #folder: string;

  /** @param folder such as `runtime/cache`; relative to the working directory. */
  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** The file's number in digits; null where there is no such file or no number in it. */
  async read(key: string): Promise<string | null> {
    const [, serialized, digits] = content.exec(await this.#text(key)) ?? [];
    return serialized ?? digits ?? null;
  }

  /** Writes a number in the form that the file has, and a new file in the form that both versions of PHP's read. */
  async write(key: string, value: string): Promise<void> {
    const [, , digits] = content.exec(await this.#text(key)) ?? [];
    const path = this.#pathOf(key);
    await mkdir(dirname(path), { recursive: true });
    // In place, as PHP does it, so that the file stays the user's who may write it.
    await writeFile(path, head + (digits === undefined ? `i:${value};` : value));
  }

  #pathOf(key: string): string {
    const hash = loadCrypto().createHash('md5').update(key).digest('hex');
    return join(this.#folder, hash.slice(0, 2), `${hash.slice(2)}.php`);
  }

  /** The beginning of the file; nothing where it is missing, or is no file. */
  async #text(key: string): Promise<string> {
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0); // opening a pipe would wait for its writer
    const file = await open(this.#pathOf(key), flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (!file) return '';
    try {
      if (!(await file.stat()).isFile()) return '';
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { database } from '../../drivers/database/index.js';
import type { Options } from './options.js';
import type { Breakage, Store } from './store.js';

/** An SQLite file that the torture has open, too. */
export class SharedFile {
  readonly raw: Database.Database;

  constructor(file: string) {
    this.raw = new Database(file, { timeout: 10_000 });
    this.raw.pragma('journal_mode = WAL');
  }

  /** Nobody else can write to it for so long. */
  async lockFor(ms: number): Promise<void> {
    this.raw.exec('BEGIN IMMEDIATE');
    await sleep(ms);
    this.raw.exec('COMMIT');
  }

  /** False while another process has it locked. */
  isFree(): boolean {
    if (this.raw.inTransaction) return true; // it is we who have it
    this.raw.pragma('busy_timeout = 100');
    try {
      this.raw.exec('BEGIN IMMEDIATE; ROLLBACK');
      return true;
    } catch {
      return false;
    } finally {
      this.raw.pragma('busy_timeout = 10000');
    }
  }
}

/** A file on a disk of its own, where that can be had. */
export async function onFile(driver: Options['driver'], folder: string): Promise<Store> {
  const disk = driver === 'sqlite' ? mountDisk(join(folder, 'disk')) : undefined;
  const file = join(disk?.folder ?? folder, `${driver}.sqlite`);
  const shared = new SharedFile(file);
  const { raw } = shared;
  return {
    reach: { url: `sqlite:${file}` },
    proxy: undefined,
    driver: driver === 'sqlite' ? database(`sqlite:${file}`) : undefined,
    hasClock: false,
    outage: { fault: 'outage', what: 'file locked', last: (ms) => shared.lockFor(ms) },
    full: disk && fullDisk(disk, raw),
    isFree: () => shared.isFree(),
    residue: async () => ({
      rows: raw.prepare<[], { n: number }>('SELECT count(*) AS n FROM jobs').get()?.n ?? 0,
    }),
    requests: async () => undefined,
    stop: async () => {
      raw.close();
      disk?.remove();
    },
  };
}

interface Disk {
  readonly folder: string;
  /** Leaves no room beyond what is used. */
  fill(): void;
  empty(): void;
  remove(): void;
}

const diskMiB = 256;

/** A file system in memory, whose size can be changed; undefined for who may mount none. */
function mountDisk(folder: string): Disk | undefined {
  mkdirSync(folder);
  const mount = (...words: string[]) => execFileSync('mount', [...words, folder], { stdio: 'ignore' });
  try {
    mount('-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs');
  } catch {
    return undefined;
  }
  const resize = (bytes: number) => mount('-o', `remount,size=${bytes}`);
  return {
    folder,
    fill: () => {
      const { blocks, bfree, bsize } = statfsSync(folder);
      resize((blocks - bfree) * bsize);
    },
    empty: () => resize(diskMiB * 2 ** 20),
    remove: () => execFileSync('umount', ['--lazy', folder]),
  };
}

/** SQLite needs room for whatever is written, settlements too: nobody can use the store. */
function fullDisk(disk: Disk, raw: Database.Database): Breakage {
  return {
    fault: 'outage',
    what: 'disk full',
    last: async (ms) => {
      raw.pragma('wal_checkpoint(TRUNCATE)'); // what the log has taken of the disk would do for long
      for (;;) {
        try {
          disk.fill();
          break;
        } catch {
          await sleep(1); // more was written meanwhile, and a disk gets no smaller than what is on it
        }
      }
      await sleep(ms);
      disk.empty();
    },
  };
}

import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type * as zlib from 'node:zlib';

const headerBytes = 8;
/** So many versions and flags of Node, and so many files of each, are kept; a file takes 300 kB at the most. */
const most = { sets: 8, files: 128 };

/** What code is compiled from. */
export interface Source {
  /** Of the file in the build. */
  readonly name: string;
  /** The whole path, which is in the code: it is what stack traces name. */
  readonly path: string;
  readonly text: string;
}

/**
 * Compiled code, kept in files that the next process takes it from. V8 runs what it is given: of the code it checks next to
 * nothing, of the source the length. Hence a file says what source it is of and what its code sums up to, and nobody but
 * this user and root may have written it. Nothing here throws: without these files all works, a little later.
 */
export class KeptCode {
  readonly #folder: string;
  #isTrusted: boolean | undefined;

  /** @param place the folder for what all versions of Node keep. */
  constructor(place: string) {
    this.#folder = join(place, setName());
  }

  /** The code of a source, if there is any. */
  read(source: Source): Buffer | undefined {
    this.#isTrusted ??= isTrustedFolder(this.#folder);
    const kept = this.#isTrusted ? readTrusted(this.#fileOf(source)) : undefined;
    if (kept === undefined || kept.length < headerBytes) return undefined;
    const code = kept.subarray(headerBytes);
    return kept.subarray(0, headerBytes).equals(headerOf(source, code)) ? code : undefined;
  }

  /** Keeps the code of a source, in place of what was kept under its name. */
  write(source: Source, code: Buffer): void {
    const file = this.#fileOf(source);
    const draft = `${file}.${process.pid}-${process.hrtime.bigint()}`;
    try {
      if (!this.#makeFolder() || readdirSync(this.#folder).length >= most.files) return;
      writeFileSync(draft, Buffer.concat([headerOf(source, code), code]), { flag: 'wx', mode: 0o644 });
      renameSync(draft, file); // whoever reads has the old one or the new one
    } catch {
      attempt(() => rmSync(draft, { force: true }));
    }
  }

  #fileOf({ name }: Source): string {
    return join(this.#folder, name.replaceAll(/[\\/]/g, '-'));
  }

  /**
   * Makes the folder, and answers whether it may be written to. Where others are too many, of flags that change with each
   * start perhaps, they go.
   */
  #makeFolder(): boolean {
    const place = dirname(this.#folder);
    mkdirSync(place, { recursive: true, mode: 0o755 });
    if (!isTrusted(statSync(place))) return false;
    if (mkdirSync(this.#folder, { recursive: true, mode: 0o755 }) !== undefined) {
      const others = readdirSync(place).filter((name) => name !== basename(this.#folder));
      if (others.length < most.sets) return true;
      for (const name of others) rmSync(join(place, name), { recursive: true, force: true });
    }
    return isTrusted(statSync(this.#folder));
  }
}

/** Names what V8 makes other code for. It finds out by itself; the name keeps one from replacing the other's. */
function setName(): string {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  const name = `${process.version}-${process.platform}-${process.arch}`;
  return flags === '' ? name : `${name}-${sumOf(flags).toString(16)}`;
}

/** The sums of a source with its path, and of its code. */
function headerOf({ path, text }: Source, code: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(sumOf(text, sumOf(path)), 0);
  header.writeUInt32LE(sumOf(code), 4);
  return header;
}

/** CRC-32. Loaded where it is needed, as that takes most of a millisecond. */
function sumOf(data: string | Buffer, start?: number): number {
  const { crc32 }: typeof zlib = process.getBuiltinModule('node:zlib');
  return crc32(data, start);
}

function isTrustedFolder(folder: string): boolean {
  return attempt(() => [folder, dirname(folder)].every((path) => isTrusted(statSync(path)))) ?? false;
}

function readTrusted(file: string): Buffer | undefined {
  return attempt(() => {
    const descriptor = openSync(file, 'r');
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || !isTrusted(stats)) return undefined;
      const content = Buffer.allocUnsafeSlow(stats.size);
      return content.subarray(0, readSync(descriptor, content));
    } finally {
      closeSync(descriptor);
    }
  });
}

/** Whether nobody but this user and root can have written it. Windows has no such modes: there it is as the code itself. */
function isTrusted({ uid, mode }: Stats): boolean {
  const own = process.geteuid?.();
  return own === undefined || ((uid === own || uid === 0) && (mode & 0o022) === 0);
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

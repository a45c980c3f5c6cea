import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueueError } from '../../src/errors.js';

/** The descriptor under which a worker process finds its board. */
export const boardFd = 4;
/** The first part of a board is for the evidence, what follows for the journal. */
export const journalStart = 65_536;

/**
 * Opens a board: a file without a name, which a worker process writes on and its supervisor reads once the process
 * is dead. A write to it waits for nobody, and it is gone with the last process that has it open.
 *
 * @throws QueueError `E_USAGE` where no folder for temporary files can be written.
 */
export function openBoard(): number {
  let refusal: unknown;
  for (const folder of ['/dev/shm', tmpdir()]) {
    const path = join(folder, `drover-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      refusal = error;
    }
  }
  throw new QueueError('E_USAGE', `no temporary file can be made in ${tmpdir()}`, {
    fix: 'Set TMPDIR to a folder that can be written.',
    cause: refusal,
  });
}

/** True where this process was started with a board. */
export function hasBoard(): boolean {
  try {
    return fstatSync(boardFd).isFile();
  } catch {
    return false;
  }
}

/** What a worker process was seen in when it ended. */
export type Evidence =
  | {
      readonly kind: 'blocked';
      /** Of the handler that blocks; undefined where the stack does not tell. */
      readonly slot?: number | undefined;
      /** Undefined where the process did not answer: it is in a native call. */
      readonly stack?: string | undefined;
      readonly atMs: number;
    }
  | {
      readonly kind: 'exit';
      readonly slot?: number | undefined;
      readonly stack: string;
      readonly code: number;
      readonly atMs: number;
    };

/** Writes evidence down, for the supervisor to find. */
export function writeEvidence(fd: number, evidence: Evidence): void {
  const stack = evidence.stack?.slice(0, 30_000).toWellFormed();
  writeSync(fd, `${JSON.stringify({ ...evidence, stack })}\n`, 0);
}

/** The evidence on a board, or undefined where there is none. */
export function readEvidence(fd: number): Evidence | undefined {
  const text = readPart(fd, 0, journalStart).toString('utf8');
  const end = text.indexOf('\n');
  if (end < 0 || !text.startsWith('{')) return undefined;
  return JSON.parse(text.slice(0, end)) as Evidence;
}

/** The journal part of a board. */
export function readJournalPart(fd: number): Buffer {
  return readPart(fd, journalStart, fstatSync(fd).size - journalStart);
}

/** Closes a board. */
export function closeBoard(fd: number): void {
  closeSync(fd);
}

function readPart(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  let read = 0;
  while (read < bytes.length) {
    const more = readSync(fd, bytes, read, bytes.length - read, start + read);
    if (more === 0) break;
    read += more;
  }
  return bytes.subarray(0, read);
}

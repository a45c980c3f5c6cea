import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueueError } from '../../src/errors.js';

/** The descriptor under which a worker process finds its board. */
export const boardFd = 4;
/** The first part of a board is for the evidence, the second for the frame of a watchdog, the last for the journal. */
export const watchdogStart = 65_536;
export const journalStart = 131_072;

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
  const text = readPart(fd, 0, watchdogStart).toString('utf8');
  const end = text.indexOf('\n');
  if (end < 0 || !text.startsWith('{')) return undefined;
  return JSON.parse(text.slice(0, end)) as Evidence;
}

/** What there is of a journal on a board. */
export interface JournalParts {
  readonly frames: Buffer;
  /** Begins with what may be the frame after those, by a watchdog. */
  readonly next: Buffer;
}

/** The journal on a board. */
export function readJournalParts(fd: number): JournalParts {
  // In this order: a frame of the watchdog that is older than the last of the others counts for nothing.
  const next = readPart(fd, watchdogStart, journalStart - watchdogStart);
  return { next, frames: readPart(fd, journalStart, fstatSync(fd).size - journalStart) };
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

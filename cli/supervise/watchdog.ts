import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { monotonicMs } from '../../src/monotonic.js';
import { boardFd, type Evidence, readJournalParts, writeEvidence } from './board.js';
import { blockerOf, earliestDueMs } from './due.js';
import { readJournal, type StartRecord } from './journal.js';
import { slotIn, stackExpression } from './stack.js';
import { Steps } from './steps.js';
import { writeUnwritten } from './unwritten.js';
import { lookMs, type WatchdogData } from './watchdog-data.js';

/**
 * The watchdog: a thread of a worker process that ends it when a handler keeps its event loop blocked past its
 * timeout, or when its supervisor is gone for too long. It first writes down where the handler was stuck.
 */
const { beats, limits, steps: memory, supervisorPid } = workerData as WatchdogData;

/** So long without a beat, the event loop is blocked. */
const blockedMs = 2 * lookMs;

let seen = -1;
let sinceMs = 0;
let orphanedMs: number | undefined;
let started: readonly StartRecord[] = [];
/** Of the steps that `started` knows. */
let version: number | undefined;
let askAtMs = 0;
let session: Session | undefined;

const steps = new Steps(memory);
steps.isWatched = true;
setInterval(look, lookMs);

function look(): void {
  const now = monotonicMs();
  if (process.ppid !== supervisorPid) {
    orphanedMs ??= now;
    if (now - orphanedMs > (limits[1] ?? 0)) endProcess();
  }
  if (hasMoved(now) || now - sinceMs < blockedMs || session) return;
  if (steps.version !== version) readStarts();
  if (now >= askAtMs) ask(started);
}

/** Whether the event loop has turned since the last look. */
function hasMoved(now: number): boolean {
  const beat = Atomics.load(beats, 0);
  if (beat === seen) return false;
  seen = beat;
  sinceMs = now;
  hangUp();
  return true;
}

/** Writes down what the blocked thread has not, and learns which handlers run. */
function readStarts(): void {
  version = steps.version;
  writeUnwritten(boardFd, steps);
  started = readJournal(readJournalParts(boardFd)).started;
  askAtMs = earliestDueMs(started);
}

/** Asks the blocked thread for its stack. It answers between two instructions, but not from within a native call. */
function ask(records: readonly StartRecord[]): void {
  const asked = new Session();
  session = asked;
  const limit = setTimeout(() => answered(undefined), Math.min(limits[0] ?? 0, 5000));
  const answered = (stack: string | undefined): void => {
    clearTimeout(limit);
    if (session !== asked || hasMoved(monotonicMs())) return;
    hangUp();
    judge(records, stack);
  };
  asked.connectToMainThread();
  const question = { expression: stackExpression, returnByValue: true };
  asked.post('Runtime.evaluate', question, (error, answer) => {
    const { result } = (answer ?? {}) as { result?: { value?: unknown } };
    const value = error ? undefined : result?.value;
    answered(typeof value === 'string' ? value : undefined);
  });
}

/** Ends the process where the handler that blocks it has had its time; else asks again when it has. */
function judge(records: readonly StartRecord[], stack: string | undefined): void {
  const slot = stack === undefined ? undefined : slotIn(stack);
  const { dueMs } = blockerOf(records, slot);
  const atMs = monotonicMs();
  if (atMs < dueMs) {
    askAtMs = dueMs;
    return;
  }
  const evidence: Evidence = { kind: 'blocked', slot, stack, atMs };
  writeEvidence(boardFd, evidence);
  endProcess();
}

function hangUp(): void {
  session?.disconnect();
  session = undefined;
}

/** The whole group: what the handler started goes with it. */
function endProcess(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}

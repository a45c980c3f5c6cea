import { readFileSync } from 'node:fs';
import { blockerOf } from './due.js';
import type { Journal } from './journal.js';

/** How much longer than its watchdog may take a process is let alone, in ms. */
const slackMs = 2000;
/** The longest that a watchdog waits for a stack, in ms. */
const longestAnswerMs = 5000;

/**
 * Whether a process that does not answer should have been ended by its watchdog long ago: every handler that it runs
 * has had its time. Pure.
 *
 * @param nowMs on the monotonic clock.
 */
export function isOverdue({ started, announced }: Journal, graceMs: number, nowMs: number): boolean {
  if (announced.length > 0) return false; // they are not announced where no watchdog is
  return nowMs > blockerOf(started, undefined).dueMs + Math.min(graceMs, longestAnswerMs) + slackMs;
}

/** True where the system says that somebody has stopped the process: that is for them to end. */
export function isStopped(pid: number): boolean {
  try {
    return /^State:\s*[Tt]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // not every system tells
  }
}

import type { HistoryKept } from './connector.js';
import { type DurationText, durationToMs } from './duration.js';
import { QueueError } from './errors.js';
import { shown } from './shown.js';

/** How many ended jobs a connection keeps, or for how long. */
export interface HistoryOptions {
  /** A number: so many of the newest, at most 100,000. A text with its unit (`'7d'`): those of so long. */
  readonly keep: number | DurationText;
}

/** A prune finds the place of the last to keep by counting. */
const mostKept = 100_000;
const fix = "Write history: { keep: 1000 } for the newest thousand, or { keep: '7d' } for a week.";

/**
 * Checks the option `history` of a connection.
 *
 * @throws QueueError `E_CONFIG`, or `E_DURATION` for a text that is no time span.
 */
export function historyKept(history: unknown): HistoryKept {
  if (typeof history !== 'object' || history === null || Array.isArray(history)) {
    throw new QueueError('E_CONFIG', `history: ${shown(history)} is not an object`, { fix });
  }
  const unknown = Object.keys(history).filter((name) => name !== 'keep');
  if (unknown.length > 0) {
    throw new QueueError('E_CONFIG', `history.${unknown[0]}: there is no such key; did you mean keep?`, {
      fix,
    });
  }
  const { keep } = history as { readonly keep?: unknown };
  if (typeof keep === 'number') {
    if (Number.isSafeInteger(keep) && keep >= 1 && keep <= mostKept) return { count: keep };
    const what = `history.keep: ${keep} is not a whole number from 1 to ${mostKept}`;
    throw new QueueError('E_CONFIG', what, { fix });
  }
  if (typeof keep !== 'string' || !/[a-z]$/.test(keep)) {
    const what = `history.keep: ${shown(keep)} is neither a number of jobs nor a time span with its unit`;
    throw new QueueError('E_CONFIG', what, { fix });
  }
  const ageMs = durationToMs(keep as DurationText, 'history.keep');
  if (ageMs < 1000) throw new QueueError('E_CONFIG', `history.keep: ${keep} is below a second`, { fix });
  return { ageMs };
}

import { QueueError } from './errors.js';
import { shown } from './shown.js';

/** A number of seconds: what a bare number means wherever drover takes a time span, as in think-queue. */
export type Seconds = number;

/** A time span with its unit, such as `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A time span: text with a unit, or a bare number of seconds. Never milliseconds without a unit. */
export type Duration = DurationText | Seconds;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestMs = 366 * 10 * unitMs.d;

/**
 * Milliseconds of a {@link Duration}, rounded to whole ones. Text without a unit (from a command line) is
 * seconds, as a bare number is.
 *
 * @param what names the value in the error, such as `timeout`.
 * @throws QueueError `E_DURATION` for anything else, for negative spans, and for spans over ten years,
 * which are milliseconds or timestamps given as seconds.
 */
export function durationToMs(value: Duration, what: string): number {
  const ms = parse(value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new QueueError('E_DURATION', `${what}: ${shown(value)} is not a time span`, {
      fix:
        (value as unknown) instanceof Date
          ? 'Give a point in time to a push as `at`.'
          : `Write a number of seconds, or text with a unit such as '250ms', '30s', '5m', '2h', '7d'.`,
    });
  }
  if (ms > longestMs) {
    throw new QueueError('E_DURATION', `${what}: ${shown(value)} is longer than ten years`, {
      fix:
        typeof value === 'number'
          ? `A bare number means seconds: write milliseconds as '${value}ms', and a point in time as a Date.`
          : 'Give a point in time as a Date.',
    });
  }
  return Math.round(ms);
}

function parse(value: unknown): number | undefined {
  if (typeof value === 'number') return value * 1000;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(value.trim());
  if (!match) return undefined;
  return Number(match[1]) * unitMs[(match[2] ?? 's') as keyof typeof unitMs];
}

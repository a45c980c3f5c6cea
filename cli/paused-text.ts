import type { Halt, Pauses } from '../src/index.js';
import { plain } from './plain-text.js';
import { timeText } from './time-text.js';

/** What is paused on a connection, as a sentence without its end; '' where nothing is. */
export function pausesText({ allSinceMs, queues }: Pauses): string {
  const all = allSinceMs === null ? [] : [`the whole connection (since ${timeText(allSinceMs)})`];
  const named = queues.map(({ queue, sinceMs }) => `queue ${plain(queue)} (since ${timeText(sinceMs)})`);
  return [...all, ...named].join(', ');
}

/** What is paused, for `--json`. */
export function pausesObject({ allSinceMs, queues }: Pauses): object {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    all: allSinceMs === null ? null : iso(allSinceMs),
    queues: queues.map(({ queue, sinceMs }) => ({ queue, since: iso(sinceMs) })),
  };
}

/** Why a worker takes no jobs; '' where nothing keeps it from that. */
export function haltText({ paused, maintenance }: Halt): string {
  const reasons = maintenance ? ['the application is in maintenance'] : [];
  if (paused.length === 1) reasons.push(`queue ${plain(paused[0] ?? '')} is paused`);
  if (paused.length > 1) reasons.push(`queues ${paused.map(plain).join(', ')} are paused`);
  return reasons.join('; ');
}

import {
  keyText,
  type StatisticsLevel,
  type StatisticsRow,
  type StatisticsStore,
} from './statistics-store.js';
import { Tallies, Tally } from './tally.js';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** How long the rows of a process are its own: it writes none of them again so long after. */
const liveMs = 5 * minuteMs;
/** How long there is a row for each minute, at least; up to an hour longer. */
export const minutesKeptMs = 2 * hourMs;
/** How long there is a row for each hour. */
export const hoursKeptMs = 14 * 24 * hourMs;

/** Rows that one step reads and replaces at most, beside those that they are merged into. */
const pageSize = 200;
/** Steps of one tidying at most; the next one goes on. */
const mostSteps = 120;
/** Minutes or hours that one step looks at. */
const spansPerStep = 24;

/**
 * Merges the rows of processes whose minute is over, makes hours of old minutes, and drops old hours: each in steps
 * of bounded size. Any number of processes may do so at once: what one of them replaces, another finds changed and
 * leaves alone.
 */
export async function tidy(store: StatisticsStore, nowMs: number): Promise<void> {
  const steps = [
    () => moveUp(store, 'live', 'minute', nowMs - liveMs),
    () => moveUp(store, 'minute', 'hour', floor(nowMs - minutesKeptMs, hourMs)),
    () => prune(store, floor(nowMs - hoursKeptMs, hourMs)),
  ];
  for (const step of steps) {
    for (let taken = 0; taken < mostSteps && (await step()); taken++);
  }
}

/** The beginning of the span of time that a time is in. */
export function floor(ms: number, spanMs: number): number {
  return ms - (ms % spanMs);
}

/** Merges the oldest rows of one level into those of the next; answers whether there may be more. */
async function moveUp(
  store: StatisticsStore,
  from: StatisticsLevel,
  to: 'minute' | 'hour',
  untilMs: number,
): Promise<boolean> {
  const oldest = await store.read({ level: from, fromMs: 0, untilMs, limit: pageSize });
  const [first] = oldest;
  if (!first) return false;
  const spanMs = to === 'hour' ? hourMs : minuteMs;
  const startMs = floor(first.startMs, spanMs);
  const untilSpanMs = startMs + spansPerStep * spanMs;
  const rows = oldest.filter((row) => row.startMs < untilSpanMs);
  const endMs = floor(rows.at(-1)?.startMs ?? startMs, spanMs) + spanMs;
  const merged = await store.read({ level: to, fromMs: startMs, untilMs: endMs });
  const by = mergedRows([...merged, ...rows], to, spanMs);
  const before = new Map(merged.map((row) => [keyText(row), row.body]));
  const changed = by.filter((row) => before.get(keyText(row)) !== row.body);
  const touched = new Set(changed.map(keyText));
  return await store.replace([...merged.filter((row) => touched.has(keyText(row))), ...rows], changed);
}

async function prune(store: StatisticsStore, untilMs: number): Promise<boolean> {
  const rows = await store.read({ level: 'hour', fromMs: 0, untilMs, limit: pageSize });
  return rows.length > 0 && (await store.replace(rows, []));
}

function mergedRows(rows: readonly StatisticsRow[], level: StatisticsLevel, spanMs: number): StatisticsRow[] {
  const tallies = new Tallies();
  for (const { startMs, queue, name, body } of rows) {
    tallies.get(floor(startMs, spanMs), queue, name).add(Tally.fromText(body));
  }
  return [...tallies].map(([place, tally]) => ({ level, source: '', ...place, body: tally.toText() }));
}

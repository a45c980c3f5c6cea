import type { JobStats, QueueStats, StatsPoint } from '../src/index.js';
import { barsOf, joined } from './bars.js';
import type { Colors } from './output.js';
import { plain } from './plain-text.js';
import { tableText } from './table.js';
import { nearTimeText, spanText } from './time-text.js';

const counters = [
  ['pushed', 'pushed'],
  ['done', 'done'],
  ['failed', 'failed'],
  ['released', 'released'],
  ['timed out', 'timedOut'],
] as const;

/** What stands before and behind the bars of a chart. */
const chartMargin = 36;

/** The statistics of one job on one queue as one JSON object. */
export function statsObject({ connection, sinceMs, untilMs }: QueueStats, job: JobStats): object {
  const { queue, name, points, ...counts } = job;
  return {
    connection,
    queue,
    name,
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    ...counts,
    points: points.map(({ startMs, ...point }) => ({ start: new Date(startMs).toISOString(), ...point })),
  };
}

/** Two tables, of counts and of times, with a line for each queue and job name. */
export function statsTables({ jobs }: QueueStats, colors: Colors): string {
  const counts = tableText(
    ['queue', 'job', ...counters.map(([title]) => title)],
    jobs.map((job) => [
      plain(job.queue),
      plain(job.name),
      ...counters.map(([, counter]) => String(job[counter])),
    ]),
    colors,
    { numbers: [2, 3, 4, 5, 6] },
  );
  const times = jobs.flatMap((job) => [...timesRow(job, 'run'), ...timesRow(job, 'wait')]);
  if (times.length === 0) return counts;
  const heading = ['queue', 'job', 'time', 'mean', 'p50', 'p95', 'p99', 'max'];
  return `${counts}\n\n${tableText(heading, times, colors, { numbers: [3, 4, 5, 6, 7] })}`;
}

function timesRow(job: JobStats, which: 'run' | 'wait'): string[][] {
  const times = job[which];
  if (times === null) return [];
  const { meanMs, p50Ms, p95Ms, p99Ms, maxMs } = times;
  return [[plain(job.queue), plain(job.name), which, ...[meanMs, p50Ms, p95Ms, p99Ms, maxMs].map(shortSpan)]];
}

/** A chart of one line for each thing that happened, from the first minute or hour to the last. */
export function statsCharts(stats: QueueStats, colors: Colors, width: number): string {
  const { sinceMs, untilMs, spanMs, total } = stats;
  const each = spanMs === 60_000 ? 'minute' : 'hour';
  const room = Math.max(10, width - chartMargin);
  const lines = [
    ...counters
      .filter(([, counter]) => total[counter] > 0)
      .map(([title, counter]) => {
        const values = series(stats, (point) => point[counter]);
        const bars = barsOf(joined(values, room, (group) => group.reduce((sum, value) => sum + value, 0)));
        return chart(title, bars, `${total[counter]}, most ${Math.max(...values)} a ${each}`);
      }),
    ...(['run', 'wait'] as const).flatMap((which) => {
      const times = total[which];
      if (times === null) return [];
      const values = series(stats, (point) => point[which]?.p95Ms ?? 0);
      const bars = barsOf(joined(values, room, (group) => Math.max(...group)));
      return [
        chart(`${which} p95`, bars, `${shortSpan(times.p95Ms)}, most ${shortSpan(Math.max(...values))}`),
      ];
    }),
  ];
  const title = `by the ${each}, ${nearTimeText(sinceMs, untilMs)} to ${nearTimeText(untilMs, untilMs)}`;
  return [colors.dim(title), ...lines].join('\n');

  function chart(label: string, bars: string, says: string): string {
    return `${colors.dim(label.padEnd(9))} ${colors.cyan(bars)} ${says}`;
  }
}

/** A value for each span of time, 0 where nothing happened. */
function series(
  { sinceMs, untilMs, spanMs, points }: QueueStats,
  of: (point: StatsPoint) => number,
): number[] {
  const byStart = new Map(points.map((point) => [point.startMs, of(point)]));
  const length = Math.floor((untilMs - sinceMs) / spanMs) + 1;
  return Array.from({ length }, (_, index) => byStart.get(sinceMs + index * spanMs) ?? 0);
}

/** Below ten milliseconds to the tenth: quick handlers take less than one. */
function shortSpan(ms: number): string {
  return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : spanText(ms);
}

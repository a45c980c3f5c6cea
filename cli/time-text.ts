/** The second that was asked for last: lines of quick jobs have the same by the thousand. */
let lastSecond = { startMs: Number.NaN, text: '' };

/** Local time as `2026-11-21 02:40:11`. */
export function timeText(ms: number): string {
  const startMs = Math.floor(ms / 1000) * 1000;
  if (startMs !== lastSecond.startMs) lastSecond = { startMs, text: textOfSecond(ms) };
  return lastSecond.text;
}

function textOfSecond(ms: number): string {
  const date = new Date(ms);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${clockText(ms)}`;
}

/** A point in time that is near `nowMs`: its time of day, with the date only where that is another. */
export function nearTimeText(ms: number, nowMs: number): string {
  const isSameDay = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return isSameDay ? clockText(ms) : timeText(ms);
}

/** Local time of day as `02:40:11`. */
export function clockText(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** A time span for people: `12 ms`, `3.4 s`, `5 min`, `1 h 23 min`, `3 d 4 h`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${rounded(ms / 1000)} s`;
  if (ms < 3_600_000) return `${rounded(ms / 60_000)} min`;
  if (ms < 172_800_000) return twoUnits(Math.round(ms / 60_000), 60, 'h', 'min');
  return twoUnits(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function twoUnits(count: number, inLarger: number, larger: string, smaller: string): string {
  const rest = count % inLarger;
  const whole = `${Math.floor(count / inLarger)} ${larger}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smaller}`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

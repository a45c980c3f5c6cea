/** Local time as `2026-11-21 02:40:11`. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${clockText(ms)}`;
}

/** Local time of day as `02:40:11`. */
export function clockText(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** A time span for people: `12 ms`, `3.4 s`, `5 min`, `2 h`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${rounded(ms / 1000)} s`;
  if (ms < 5_400_000) return `${rounded(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${rounded(ms / 3_600_000)} h` : `${rounded(ms / 86_400_000)} d`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

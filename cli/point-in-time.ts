const isoTime = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** A time in ISO 8601, local where it names no zone; undefined for anything else, and for days that there are not. */
export function pointInTime(text: string): Date | undefined {
  const [, year, month, day] = isoTime.exec(text) ?? [];
  const at = new Date(text.replace(' ', 'T'));
  const daysOfMonth = new Date(Number(year), Number(month), 0).getDate();
  const isNone = day === undefined || Number(day) > daysOfMonth || Number.isNaN(at.getTime());
  return isNone ? undefined : at;
}

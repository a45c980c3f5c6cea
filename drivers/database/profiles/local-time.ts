import { QueueError } from '../../../src/index.js';

/** PHP's `Y-m-d H:i:s` in one time zone. */
export class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  /** @throws QueueError `E_CONFIG` for what is no time zone. */
  constructor(timeZone: unknown) {
    this.#format = formatIn(timeZone);
  }

  /** The text of a time in ms since the epoch. */
  textOf(ms: number): string {
    const parts = new Map(this.#format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')}`;
  }

  /** The time that a text means, in ms; in the hour that autumn has twice the earlier one. NaN for what is no time. */
  msOf(text: string): number {
    const asUtcMs = Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
    if (Number.isNaN(asUtcMs)) return asUtcMs;
    const offsetAt = (ms: number): number => Date.parse(`${this.textOf(ms).replace(' ', 'T')}Z`) - ms;
    const dayMs = 86_400_000;
    const candidates = [offsetAt(asUtcMs - dayMs), offsetAt(asUtcMs + dayMs)].map(
      (offset) => asUtcMs - offset,
    );
    const exact = candidates.filter((ms) => ms + offsetAt(ms) === asUtcMs);
    return Math.min(...(exact.length > 0 ? exact : candidates));
  }
}

function formatIn(timeZone: unknown): Intl.DateTimeFormat {
  try {
    if (typeof timeZone !== 'string') throw new RangeError();
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch {
    throw new QueueError('E_CONFIG', `timeZone: ${JSON.stringify(timeZone)} is no time zone`, {
      fix: "Write the one of the PHP application, such as 'Asia/Shanghai'; without it times are in UTC.",
    });
  }
}

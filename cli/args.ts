import { type Duration, durationToMs } from '../src/duration.js';
import { QueueError } from '../src/errors.js';
import { pointInTime } from './point-in-time.js';

/** A flag of a command as it is declared. */
export interface Flag {
  /** A `switch` is on or off; `text` has a value. */
  readonly kind: 'switch' | 'text';
  /** What `--help` says of it. */
  readonly says: string;
  /** What holds without the flag, for `--help`. */
  readonly without?: string;
  /** Left out of `--help`: between processes of drover only. */
  readonly hidden?: boolean;
}

/** Flags by name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What the parts of a list are, for errors. */
export interface ListParts {
  readonly called: string;
  readonly example: string;
}

/** The flags and positional words of a command, read with checks whose errors name the flag. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param values as yargs parsed them. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  /** As yargs parsed them, for another process. */
  get values(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  /** True for a switch that is on. */
  isOn(name: string): boolean {
    const value = this.#values[name];
    return Array.isArray(value) ? value.at(-1) === true : value === true;
  }

  /**
   * The value of a flag or positional word, or undefined where it is not given.
   *
   * @throws QueueError `E_USAGE` for a flag without its value, or given twice.
   */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value)) throw usage(`--${name} is given twice`, `Give --${name} once.`);
    if (value === '' || typeof value !== 'string') {
      throw usage(`--${name} needs a value`, `Write --${name}=<value>.`);
    }
    return value;
  }

  /** The words of a positional that takes many. */
  words(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** @throws QueueError `E_USAGE` unless the value is a whole number from `least` up. */
  whole(name: string, least: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw usage(
      `--${name}: '${text}' is not a whole number from ${least} up`,
      `Write a whole number, such as --${name} ${Math.max(least, 3)}.`,
    );
  }

  /** @throws QueueError `E_DURATION` unless the value is a number of seconds or text such as `5m`. */
  span(name: string): Duration | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : checkSpan(text, `--${name}`);
  }

  /**
   * A point in time in ms since the epoch, given as a span before now or in ISO 8601.
   *
   * @throws QueueError `E_USAGE`.
   */
  since(name: string, nowMs: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const at = pointInTime(text);
    if (at !== undefined) return at.getTime();
    if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)?$/.test(text)) {
      return nowMs - durationToMs(text as Duration, `--${name}`);
    }
    throw usage(
      `--${name}: '${text}' is neither a time span nor a time`,
      `Write --${name} 2h, or --${name} 2026-12-24T18:00:00Z.`,
    );
  }

  /**
   * The parts of a list with commas.
   *
   * @param of what each part is, and a list of such, for the error.
   * @throws QueueError `E_USAGE` for an empty part.
   */
  list(name: string, of: ListParts = { called: 'name', example: 'a,b' }): string[] | undefined {
    const parts = this.text(name)
      ?.split(',')
      .map((part) => part.trim());
    if (parts?.includes(''))
      throw usage(
        `--${name} has an empty ${of.called} in its list`,
        `Write ${of.called}s with commas: ${of.example}.`,
      );
    return parts;
  }
}

/** Answers the text when it is a time span. */
export function checkSpan(text: string, what: string): Duration {
  durationToMs(text as Duration, what);
  return text as Duration;
}

/** The error for something that was typed wrong. */
export function usage(message: string, fix?: string): QueueError {
  return new QueueError('E_USAGE', message, fix === undefined ? {} : { fix });
}

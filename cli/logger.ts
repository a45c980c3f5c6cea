import { inspect } from 'node:util';
import { withoutCredentials } from '../src/credentials.js';
import type { Logger } from '../src/index.js';
import { errorText } from './error-text.js';
import type { Io } from './io.js';
import { type Colors, colorsFor, groupMark } from './output.js';
import { plain, safeJson } from './plain-text.js';
import { timeText } from './time-text.js';

type Level = keyof Logger;

/** How the lines of a logger differ. */
export interface LogMarks {
  /** The group of worker processes that each line is marked with. */
  readonly group?: string | undefined;
  /** Warnings and errors only. Default false. */
  readonly quiet?: boolean;
}

/**
 * The logger of the CLI, to stderr: lines for people, or JSON. Debug lines only with `DROVER_DEBUG=1`.
 */
export function createLogger(
  io: Pick<Io, 'stderr' | 'env'>,
  json: boolean,
  { group, quiet = false }: LogMarks = {},
): Logger {
  const colors = colorsFor(io.stderr, io.env);
  const mark = groupMark(colors, group);
  const toLine = (level: Level, fields: object, message: string) =>
    json
      ? jsonLine(level, group === undefined ? fields : { ...fields, group }, message)
      : `${mark}${humanLine(colors, level, fields, message)}`;
  const log = (level: Level) => (fields: object, message: string) =>
    void io.stderr.write(`${toLine(level, fields, message)}\n`);
  const debug = io.env.DROVER_DEBUG === '1' ? log('debug') : () => {};
  return { debug, info: quiet ? () => {} : log('info'), warn: log('warn'), error: log('error') };
}

function jsonLine(level: Level, fields: object, message: string): string {
  const entry: Record<string, unknown> = { level, time: new Date().toISOString(), msg: String(message) };
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'err')
      entry.error = errorText(value); // called as in events
    else entry[key] = value;
  }
  try {
    return withoutCredentials(safeJson(entry));
  } catch {
    // A handler may log what JSON cannot hold; the sentence must not be lost for it.
    return safeJson({ level, time: entry.time, msg: entry.msg });
  }
}

function humanLine(colors: Colors, level: Level, fields: object, message: string): string {
  const { err, ...others } = fields as Record<string, unknown>;
  const parts = Object.entries(others).map(([key, value]) => `${plain(key)}=${plain(fieldText(value))}`);
  if (err !== undefined) {
    const { class: name, message: reason } = errorText(err);
    parts.push(plain(`${name}: ${reason}`));
  }
  const paint = { debug: colors.dim, info: colors.cyan, warn: colors.yellow, error: colors.red }[level];
  const text = [plain(String(message)), ...parts].join('  ');
  return `${colors.dim(timeText(Date.now()))}  ${paint(level.padEnd(5))}  ${withoutCredentials(text)}`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  return inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 1000 });
}

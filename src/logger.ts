import { loggable } from './logged-error.js';

/**
 * Where drover writes what an operator should read. Same call shape as pino: fields first, then the
 * sentence. A pino logger can be passed as it is. An error is the field `err`.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Drops everything: the default, as a library prints nothing by itself. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/**
 * A logger that never throws, as what an application's logger does must not become a job's fate, and that is told of
 * errors no more than their text.
 */
export function safeLogger(logger: Logger): Logger {
  const line = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](loggable(fields), message);
    } catch {
      // There is nowhere left to say it.
    }
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** What is said of a job on each log line and event. */
export interface JobFields {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly connection: string;
  readonly attempts: number;
}

/** A logger that adds a job's fields to each line. */
export function withFields(logger: Logger, fields: object): Logger {
  const line = (level: keyof Logger) => (own: object, message: string) =>
    logger[level]({ ...fields, ...own }, message);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

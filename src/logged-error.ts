import { withoutCredentials } from './credentials.js';
import { type DescribedError, describeError } from './error-text.js';

/**
 * Fields of a log line as they go to a logger: an error in `err` as its name, code, message, stack and causes alone,
 * without the credentials of URLs. Loggers print all that an error has, and clients of stores hang their settings on it.
 */
export function loggable(fields: object): object {
  // Handlers in JavaScript may log what is no object: their logger knows better what to do with it.
  if (typeof fields !== 'object' || fields === null || !('err' in fields)) return fields;
  return { ...fields, err: readable(fields.err) };
}

/** Still an error, as serializers of loggers tell what to do with a value by that; or the text that it was already. */
function readable(err: unknown): unknown {
  if (typeof err === 'string') return withoutCredentials(err);
  if (isDescribed(err)) return err;
  const { class: name, code, message, stack, causes } = describeError(err);
  let cause: Error | undefined;
  for (const one of [...causes].reverse()) cause = errorOf(one.class, one.message, one.code, '', cause);
  return errorOf(name, message, code, stack, cause);
}

function isDescribed(err: unknown): err is DescribedError {
  return Object.getPrototypeOf(Object(err)) === Object.prototype && Object.hasOwn(err as object, 'causes');
}

function errorOf(
  name: string,
  message: string,
  code: string | undefined,
  stack: string,
  cause: Error | undefined,
): Error {
  const error = new Error(message, cause && { cause });
  Object.defineProperty(error, 'name', { value: name });
  // pino tells an error's type by the name of its constructor.
  const named = Object.defineProperty(() => {}, 'name', { value: name });
  Object.defineProperty(error, 'constructor', { value: named });
  error.stack = stack || `${name}: ${message}`;
  return code === undefined ? error : Object.assign(error, { code });
}

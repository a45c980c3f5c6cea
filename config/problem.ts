import { type ErrorCode, isQueueError, QueueError } from '../src/index.js';
import { redact } from './redact.js';
import { suggest } from './suggest.js';

/** One thing that is wrong with a config. */
export interface Problem {
  /** Where: `worker.timeout`, `connections.main`; empty for the config as a whole. */
  readonly path: string;
  readonly what: string;
  /** What to do about it, as sentences. */
  readonly fix?: string | undefined;
  /** Default `E_CONFIG`. */
  readonly code?: ErrorCode;
}

/** The path of a key below another. */
export function keyPath(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  const name = /^[\w$-]+$/.test(key) ? key : JSON.stringify(key);
  return parent === '' ? name : `${parent}.${name}`;
}

/** A problem for each key of a section that is none of the known ones. */
export function unknownKeys(section: object, parent: string, known: readonly string[]): Problem[] {
  return Object.keys(section)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: keyPath(parent, key),
      what: `unknown key${didYouMean(key, known) ?? `; the keys are ${known.join(', ')}`}`,
    }));
}

/** `; did you mean connections?`, or undefined where no name is near. */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  const near = suggest(word, names);
  return near === undefined ? undefined : `; did you mean ${near}?`;
}

/**
 * What a check of the core threw, as a problem of the section that was checked. Where the message starts
 * with the name of an option (`timeout: …`, `backoff[0]: …`), the path goes on with it.
 */
export function problemOf(error: unknown, parent: string): Problem {
  if (!isQueueError(error)) return { path: parent, what: 'cannot be read' };
  const { message, fix, code } = error;
  const [, option, what] = /^([a-zA-Z_][\w.[\]]*): (.*)$/s.exec(message) ?? [];
  if (option === undefined || what === undefined) return { path: parent, what: message, fix, code };
  return { path: parent === '' ? option : `${parent}.${option}`, what, fix, code };
}

/** What a value is, without saying its text: that may be a secret. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const kinds = { string: 'text', number: 'a number', boolean: 'true or false', function: 'a function' };
  return kinds[typeof value as keyof typeof kinds] ?? 'an object';
}

/** True for an object whose keys are settings or names. */
export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * All problems as one error: `E_CONFIG`, or `E_UNSUPPORTED` where that is all there is.
 *
 * @param source names the config: its file.
 */
export function configError(source: string, problems: readonly Problem[]): QueueError {
  const code = problems.every((problem) => problem.code === 'E_UNSUPPORTED') ? 'E_UNSUPPORTED' : 'E_CONFIG';
  const [only] = problems;
  if (problems.length === 1 && only) {
    const fix = only.fix === undefined ? {} : { fix: redact(only.fix) };
    return new QueueError(code, redact(`${source}: ${located(only)}`), fix);
  }
  const lines = problems.map((problem) => {
    const line = `  ${located(problem)}`;
    return problem.fix === undefined ? line : `${line}. ${problem.fix}`;
  });
  return new QueueError(code, redact(`${source}: ${problems.length} problems\n${lines.join('\n')}`));
}

function located({ path, what }: Problem): string {
  return path === '' ? what : `${path}: ${what}`;
}

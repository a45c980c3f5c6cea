import { withoutCredentials } from '../src/credentials.js';
import { type ErrorCode, isQueueError } from '../src/errors.js';
import { errorText } from './error-text.js';
import type { Io } from './io.js';
import { colorsFor } from './output.js';
import { plain, plainLines, safeJson } from './plain-text.js';

/** What went wrong, as text that has not been made harmless yet. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix?: string | undefined;
  readonly stack?: string | undefined;
}

/**
 * Tells on stderr what went wrong: code, message and remedy; with `json` as one object. A stack is shown only
 * of errors that drover does not throw on purpose, and only with `DROVER_DEBUG=1`.
 */
export function reportError(error: unknown, io: Pick<Io, 'stderr' | 'env'>, json: boolean): void {
  const shown = errorText(error);
  if (isQueueError(error)) {
    reportProblem({ code: error.code, message: shown.message, fix: error.fix }, io, json);
    return;
  }
  const message = `${shown.class}: ${shown.message}`;
  const fix = 'Set DROVER_DEBUG=1 to see where it comes from.';
  reportProblem({ code: 'E_UNEXPECTED', message, fix, stack: stackOf(error, io) }, io, json);
}

// The errors whose messages list what is wrong, one problem a line. All others keep to one line: what looks
// like a line break there may come out of a payload or of another package.
const ownLines: ReadonlySet<string> = new Set<ErrorCode>(['E_CONFIG', 'E_JOB_DUPLICATE', 'E_JOB_FILE']);

/** Tells of a problem: for people its code and message, on one line but for those that list, then the remedy. */
export function reportProblem(problem: Problem, io: Pick<Io, 'stderr' | 'env'>, json: boolean): void {
  const { code, message, fix, stack } = problem;
  if (json) {
    io.stderr.write(`${safeJson({ event: 'error', code, message, fix, stack })}\n`);
    return;
  }
  const colors = colorsFor(io.stderr, io.env);
  const lines = [`${colors.red(`error ${code}:`)} ${ownLines.has(code) ? listed(message) : plain(message)}`];
  if (stack !== undefined) lines.push(`  ${plainLines(stack, '  ')}`);
  else if (fix !== undefined) lines.push(`  ${colors.dim('fix:')} ${plain(fix)}`);
  io.stderr.write(`${lines.join('\n')}\n`);
}

/** Lines that follow the first are always indented, so that none can pass for a message of its own. */
function listed(message: string): string {
  const [first = '', ...others] = message.split('\n').map(plain);
  return [first, ...others.map((line) => (line.startsWith('  ') ? line : `  ${line}`))].join('\n');
}

function stackOf(error: unknown, io: Pick<Io, 'env'>): string | undefined {
  return io.env.DROVER_DEBUG === '1' && error instanceof Error
    ? withoutCredentials(String(error.stack))
    : undefined;
}

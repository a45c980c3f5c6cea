import { type ErrorCode, isQueueError, QueueError } from '../../src/index.js';
import type { Dialect } from './dialects/dialect.js';

/** What becomes of one kind of error. */
export interface Meaning {
  /** The codes meant; a code is the whole text matched. */
  readonly codes: RegExp;
  readonly code: ErrorCode;
  /** Follows the name of the database. */
  readonly what: string;
  readonly fix: string;
  /** True where waiting alone may help: the worker then tries again instead of giving up. */
  readonly transient: boolean;
  /** True where what was asked may have been done all the same. */
  readonly ambiguous?: boolean;
}

/** Thrown where no connection was to be had, so that nothing was sent. */
export class NotConnected extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/**
 * The `QueueError` for anything that knex, a client or a database throw.
 *
 * @param dialect names the database and knows its codes.
 */
export function explain(error: unknown, dialect: Pick<Dialect<never>, 'place' | 'explain'>): QueueError {
  if (isQueueError(error)) return error;
  const isSent = !(error instanceof NotConnected);
  const thrown = isSent ? error : error.cause;
  if (isQueueError(thrown)) return thrown;
  const told =
    explainPackage(thrown) ?? explainPool(thrown, dialect.place) ?? dialect.explain(thrown, dialect.place);
  if (isSent || !told.ambiguous) return told;
  return new QueueError(told.code, told.message, {
    ...(told.fix === undefined ? {} : { fix: told.fix }),
    transient: told.transient,
    cause: told.cause,
  });
}

/** The error that a table of meanings gives a code; undefined where the table does not have it. */
export function explainCode(
  meanings: readonly Meaning[],
  code: string,
  cause: unknown,
  place: string,
): QueueError | undefined {
  const meaning = meanings.find(({ codes }) => codes.test(code));
  if (meaning === undefined) return undefined;
  const { fix, transient, ambiguous = false } = meaning;
  const what = `${place} ${meaning.what} (${code}: ${messageOf(cause)})`;
  return new QueueError(meaning.code, what, { fix, transient, ambiguous, cause });
}

/** The error for tables that are missing, or not as this version's migrations make them. */
export function lacksSchema(cause: unknown, place: string): QueueError {
  return new QueueError('E_STORE_SCHEMA', `${place} lacks part of drover's schema: ${messageOf(cause)}`, {
    fix: 'Run: drover queue:migrate. If the table belongs to something else, set another name for it.',
    cause,
  });
}

/** The error for tables that were there before drover's migrations. */
export function foreignTables(cause: unknown, place: string): QueueError {
  const what = `${place} has tables that drover's migrations did not make: ${messageOf(cause)}`;
  return new QueueError('E_STORE_SCHEMA', what, {
    fix:
      'Set other names (table, failedTable, signalsTable, workersTable, statisticsTable, historyTable), or autoMigrate: ' +
      'false if your own migrations made these.',
    cause,
  });
}

const rebuild =
  'Run: npm rebuild better-sqlite3. Where npm does not run install scripts, first allow this one: ' +
  'npm approve-scripts better-sqlite3, or "allowScripts": { "better-sqlite3": true } in package.json.';
const nativeMissing = /Could not locate the bindings file|NODE_MODULE_VERSION/;

/** The packages that go with knex, as knex names them when it cannot load one. */
const clients = { 'better-sqlite3': 'better-sqlite3@12', mysql2: 'mysql2@3', pg: 'pg@8' } as const;

/** The name of a client package that this driver can use. */
export type ClientPackage = keyof typeof clients;

/**
 * The error for a package that is not installed or not built; undefined for any other.
 *
 * @param wanted the package that goes with knex, where knex itself is missing.
 */
export function explainPackage(cause: unknown, wanted?: ClientPackage): QueueError | undefined {
  const message = messageOf(cause);
  if (codeOf(cause) === 'ERR_DLOPEN_FAILED' || nativeMissing.test(message)) {
    const what = 'better-sqlite3 is installed, but its native part is missing or made for another Node';
    return new QueueError('E_DRIVER_MISSING', what, { fix: rebuild, cause });
  }
  // knex wraps the failed require in an error of its own, without a code.
  const [, named] = /(?:npm install |Cannot find module ')(better-sqlite3|mysql2|pg)\b/.exec(message) ?? [];
  if (named === undefined && !/^(?:ERR_)?MODULE_NOT_FOUND$/.test(codeOf(cause))) return undefined;
  const client = (named ?? wanted) as ClientPackage | undefined;
  const what = `the database driver needs the package ${named ?? 'knex'}, which is not installed`;
  const fix = `Run: npm install knex@3${client === undefined ? '' : ` ${clients[client]}`}`;
  return new QueueError('E_DRIVER_MISSING', what, { fix, cause });
}

/** An error of a push that leaves open what came of it, with the ids of its jobs; any other as it is. */
export function aboutJobs(error: unknown, jobs: readonly { readonly id: string }[]): unknown {
  if (!isQueueError(error) || !error.ambiguous) return error;
  const { code, message, fix, transient, ambiguous, cause } = error;
  const ids = jobs.map(({ id }) => id);
  return new QueueError(code, message, {
    ...(fix !== undefined && { fix }),
    transient,
    ambiguous,
    ids,
    cause,
  });
}

function explainPool(cause: unknown, place: string): QueueError | undefined {
  if (!(cause instanceof Error) || cause.name !== 'KnexTimeoutError') return undefined;
  const what = `${place}: no connection of the pool became free in time; nothing was sent`;
  return new QueueError('E_STORE_UNAVAILABLE', what, {
    fix: 'Look for transactions that are kept open, or allow the pool more connections.',
    transient: true,
    cause,
  });
}

/** The `code` of an error, or an empty text. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

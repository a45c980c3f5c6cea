import { type ErrorCode, isQueueError, QueueError } from '../../src/index.js';

/** What becomes of one kind of error. */
interface Meaning {
  /** The result codes meant: SQLITE_BUSY stands for SQLITE_BUSY_SNAPSHOT as well. */
  readonly sqlite: RegExp;
  readonly code: ErrorCode;
  /** Follows the name of the database. */
  readonly what: string;
  readonly fix: string;
  /** True where waiting alone may help: the worker then tries again instead of giving up. */
  readonly transient: boolean;
}

const install = 'Run: npm install knex@3 better-sqlite3@12';
const rebuild =
  'Run: npm rebuild better-sqlite3. Where npm does not run install scripts, first allow this one: ' +
  'npm approve-scripts better-sqlite3, or "allowScripts": { "better-sqlite3": true } in package.json.';

const lockConflict = /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/;

const meanings: readonly Meaning[] = [
  {
    sqlite: lockConflict,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is locked by another process',
    fix: 'Look for a process that keeps a transaction open on it.',
    transient: true,
  },
  {
    sqlite: /^SQLITE_FULL/,
    code: 'E_STORE_FULL',
    what: 'has no space left; nothing was changed',
    fix: 'Free space on the disk that holds it.',
    // Space comes back by itself: logs are rotated, jobs are done.
    transient: true,
  },
  {
    sqlite: /^SQLITE_(?:READONLY|PERM|AUTH)/,
    code: 'E_STORE_READONLY',
    what: 'cannot be written',
    fix: 'Let this user write the file and its folder, and open it without the readonly option.',
    transient: false,
  },
  {
    sqlite: /^SQLITE_(?:CORRUPT|NOTADB)/,
    code: 'E_STORE_CORRUPT',
    what: 'is damaged, or is no SQLite database; it was left as it is',
    fix: 'Check the path, restore a backup, or save what "sqlite3 <file> .recover" still reads.',
    transient: false,
  },
  {
    sqlite: /^SQLITE_CANTOPEN/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'cannot be opened',
    fix: 'Check that this user may write in its folder, where SQLite keeps files beside it.',
    transient: false,
  },
  {
    sqlite: /^SQLITE_IOERR/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'cannot be read or written: the disk answers with an error',
    fix: 'Check the disk that holds it.',
    transient: true,
  },
  {
    sqlite: /^SQLITE_TOOBIG/,
    code: 'E_PAYLOAD_TOO_LARGE',
    what: 'takes no text of that length',
    fix: 'Keep large data elsewhere and push where to find it.',
    transient: false,
  },
  {
    sqlite: /^SQLITE_CONSTRAINT/,
    code: 'E_STORE_SCHEMA',
    what: 'has a table with rules of its own that refuse the row',
    fix: 'Give drover its own tables: set the options table, failedTable and signalsTable.',
    transient: false,
  },
];

const missingInSchema =
  /^no such (?:table|column)|has no column named|does not match any PRIMARY KEY or UNIQUE/;
const nativeMissing = /Could not locate the bindings file|NODE_MODULE_VERSION/;

/**
 * True for a conflict over SQLite's locks: nothing has happened, and the same call will pass once the other
 * process is done.
 */
export function isConflict(error: unknown): boolean {
  return lockConflict.test(codeOf(error));
}

/**
 * The `QueueError` for anything that knex, better-sqlite3 or SQLite throw.
 *
 * @param place names the database.
 */
export function explain(error: unknown, place: string): QueueError {
  if (isQueueError(error)) return error;
  return explainPackage(error) ?? explainSchema(error, place) ?? explainSqlite(error, place);
}

/** The error for a package that is not installed or not built; undefined for any other. */
export function explainPackage(cause: unknown): QueueError | undefined {
  const message = messageOf(cause);
  if (codeOf(cause) === 'ERR_DLOPEN_FAILED' || nativeMissing.test(message)) {
    const what = 'better-sqlite3 is installed, but its native part is missing or made for another Node';
    return new QueueError('E_DRIVER_MISSING', what, { fix: rebuild, cause });
  }
  // knex wraps the failed require in an error of its own, without a code.
  const isMissing =
    /^(?:ERR_)?MODULE_NOT_FOUND$/.test(codeOf(cause)) || /npm install better-sqlite3/.test(message);
  if (!isMissing) return undefined;
  const named = /npm install better-sqlite3/.test(message) ? 'better-sqlite3' : 'knex';
  const what = `the database driver needs the package ${named}, which is not installed`;
  return new QueueError('E_DRIVER_MISSING', what, { fix: install, cause });
}

function explainSchema(cause: unknown, place: string): QueueError | undefined {
  const message = messageOf(cause);
  if (/already exists$/.test(message)) {
    const what = `${place} has tables that drover's migrations did not make: ${message}`;
    return new QueueError('E_STORE_SCHEMA', what, {
      fix: 'Set other names (table, failedTable, signalsTable), or autoMigrate: false if your own migrations made these.',
      cause,
    });
  }
  if (!missingInSchema.test(message)) return undefined;
  return new QueueError('E_STORE_SCHEMA', `${place} lacks part of drover's schema: ${message}`, {
    fix: 'Run: drover queue:migrate. If the table belongs to something else, set another name for it.',
    cause,
  });
}

function explainSqlite(cause: unknown, place: string): QueueError {
  const code = codeOf(cause);
  const meaning = meanings.find(({ sqlite }) => sqlite.test(code));
  if (meaning === undefined) {
    return new QueueError('E_STORE_UNAVAILABLE', `${place}: ${messageOf(cause)}`, {
      cause,
      transient: code === 'SQLITE_INTERRUPT' || code === 'SQLITE_NOMEM' || isPoolTimeout(cause),
    });
  }
  const { fix, transient } = meaning;
  const what = `${place} ${meaning.what} (${code}: ${messageOf(cause)})`;
  return new QueueError(meaning.code, what, { fix, transient, cause });
}

function isPoolTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'KnexTimeoutError';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

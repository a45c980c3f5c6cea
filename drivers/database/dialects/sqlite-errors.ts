import { QueueError } from '../../../src/index.js';
import { codeOf, explainCode, foreignTables, lacksSchema, type Meaning, messageOf } from '../errors.js';

const lockConflict = /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/;

/** SQLITE_BUSY stands for SQLITE_BUSY_SNAPSHOT as well. */
const meanings: readonly Meaning[] = [
  {
    codes: lockConflict,
    code: 'E_STORE_UNAVAILABLE',
    what: 'is locked by another process',
    fix: 'Look for a process that keeps a transaction open on it.',
    transient: true,
  },
  {
    codes: /^SQLITE_FULL/,
    code: 'E_STORE_FULL',
    what: 'has no space left; nothing was changed',
    fix: 'Free space on the disk that holds it.',
    // Space comes back by itself: logs are rotated, jobs are done.
    transient: true,
  },
  {
    codes: /^SQLITE_(?:READONLY|PERM|AUTH)/,
    code: 'E_STORE_READONLY',
    what: 'cannot be written',
    fix: 'Let this user write the file and its folder, and open it without the readonly option.',
    transient: false,
  },
  {
    codes: /^SQLITE_(?:CORRUPT|NOTADB)/,
    code: 'E_STORE_CORRUPT',
    what: 'is damaged, or is no SQLite database; it was left as it is',
    fix: 'Check the path, restore a backup, or save what "sqlite3 <file> .recover" still reads.',
    transient: false,
  },
  {
    codes: /^SQLITE_CANTOPEN/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'cannot be opened',
    fix: 'Check that this user may write in its folder, where SQLite keeps files beside it.',
    transient: false,
  },
  {
    codes: /^SQLITE_IOERR/,
    code: 'E_STORE_UNAVAILABLE',
    what: 'cannot be read or written: the disk answers with an error',
    fix: 'Check the disk that holds it.',
    transient: true,
  },
  {
    codes: /^SQLITE_TOOBIG/,
    code: 'E_PAYLOAD_TOO_LARGE',
    what: 'takes no text of that length',
    fix: 'Keep large data elsewhere and push where to find it.',
    transient: false,
  },
  {
    codes: /^SQLITE_CONSTRAINT/,
    code: 'E_STORE_SCHEMA',
    what: 'has a table with rules of its own that refuse the row',
    fix: 'Give drover its own tables: set the options table, failedTable, signalsTable and workersTable.',
    transient: false,
  },
];

const missingInSchema =
  /^no such (?:table|column)|has no column named|does not match any PRIMARY KEY or UNIQUE/;

/**
 * True for a conflict over SQLite's locks: nothing has happened, and the same call will pass once the other
 * process is done.
 */
export function isSqliteConflict(error: unknown): boolean {
  return lockConflict.test(codeOf(error));
}

/** The error for what SQLite or better-sqlite3 throw. */
export function explainSqlite(cause: unknown, place: string): QueueError {
  const message = messageOf(cause);
  const code = codeOf(cause);
  if (/already exists$/.test(message)) return foreignTables(cause, place);
  if (missingInSchema.test(message)) return lacksSchema(cause, place);
  return (
    explainCode(meanings, code, cause, place) ??
    new QueueError('E_STORE_UNAVAILABLE', `${place}: ${message}`, {
      cause,
      transient: code === 'SQLITE_INTERRUPT' || code === 'SQLITE_NOMEM',
    })
  );
}

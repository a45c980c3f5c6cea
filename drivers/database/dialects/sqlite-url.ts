import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QueueError } from '../../../src/index.js';
import { inMemory } from './sqlite-file.js';

const examples = "Write 'sqlite:./queue.sqlite', 'sqlite:///var/lib/app/queue.sqlite' or 'sqlite::memory:'.";
const serverExamples =
  "For servers write 'mysql://user:password@host/database' or 'postgres://user:password@host/database'.";
const others = ['mysql2', 'pg', 'cockroachdb', 'mssql', 'oracledb', 'mongodb'];

/**
 * The file that a `sqlite:` or `file:` URL names, as an absolute path or `:memory:`. Relative paths are
 * taken from the working directory of now.
 *
 * Errors never repeat the URL: one meant for a server has a password in it.
 *
 * @throws QueueError `E_CONFIG`, or `E_UNSUPPORTED` for the URL of another database.
 */
export function filenameOfUrl(url: string): string {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && others.includes(scheme)) {
    throw new QueueError(
      'E_UNSUPPORTED',
      `url: ${scheme}: the database driver speaks sqlite, mysql, mariadb, postgres and postgresql`,
      { fix: serverExamples },
    );
  }
  if (scheme !== 'sqlite' && scheme !== 'file') {
    throw new QueueError('E_CONFIG', 'url: is not the URL of a database', {
      fix: `${examples} ${serverExamples}`,
    });
  }
  const rest = url.slice(scheme.length + 1);
  if (rest === inMemory) return inMemory;
  if (/[?#]/.test(rest)) {
    throw new QueueError('E_CONFIG', 'url: ? and # have no meaning in a sqlite: URL', {
      fix: 'Set the options beside url; in the name of a file write ? as %3F and # as %23.',
    });
  }
  return checkFilename(pathOf(rest), 'url');
}

/**
 * The absolute path of a file name, or `:memory:`.
 *
 * @param key names the option in the error.
 * @throws QueueError `E_CONFIG`.
 */
export function checkFilename(filename: string, key: string): string {
  if (filename === inMemory) return inMemory;
  // SQLite would open a private file for no name, and better-sqlite3 cuts off spaces around one.
  if (filename === '' || filename.trim() !== filename || filename.includes('\0')) {
    throw new QueueError('E_CONFIG', `${key}: names no file`, { fix: examples });
  }
  return resolve(filename);
}

function pathOf(rest: string): string {
  try {
    if (rest.startsWith('///')) return fileURLToPath(`file:${rest}`);
    // sqlite://data/x could mean data/x or a host named data: not guessed.
    if (rest.startsWith('//')) throw new Error('has a host');
    return decodeURIComponent(rest);
  } catch {
    // Without the cause, which may repeat the URL.
    throw new QueueError('E_CONFIG', 'url: the path cannot be read', { fix: examples });
  }
}

import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QueueError } from '../../../src/index.js';

/** The name under which SQLite keeps a database in memory. */
export const inMemory = ':memory:';

/**
 * Makes sure that the file is there before SQLite sees it, with its folder. A file that is made is for this
 * user alone (0600), as payloads hold what users sent; SQLite gives the same mode to its files beside it.
 *
 * @param filename absolute, or `:memory:`, for which there is nothing to do.
 * @throws QueueError `E_STORE_READONLY` or `E_STORE_UNAVAILABLE`, naming the path.
 */
export async function prepareFile(filename: string): Promise<void> {
  if (filename === inMemory) return;
  await makeFolder(dirname(filename));
  const created = await createFile(filename);
  if (created !== undefined) return created.close();
  await refuseOddFile(filename);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new QueueError('E_STORE_UNAVAILABLE', `the folder ${folder} cannot be made${reason(cause)}`, {
      fix: 'Make the folder, or give the connection a path whose folder can be made.',
      cause,
    });
  }
}

/** The new file, or undefined where something has that name already. */
async function createFile(filename: string): Promise<FileHandle | undefined> {
  try {
    // wx is O_CREAT | O_EXCL: it makes the file or fails, and never follows a link that somebody laid there.
    return await open(filename, 'wx', 0o600);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EEXIST') return undefined;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new QueueError('E_STORE_READONLY', `${filename} cannot be created${reason(cause)}`, {
        fix: `Let this user write in ${dirname(filename)}, or set another path.`,
        cause,
      });
    }
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new QueueError('E_STORE_FULL', `${filename} cannot be created${reason(cause)}`, {
        fix: 'Free space on the disk.',
        cause,
        transient: true,
      });
    }
    throw new QueueError('E_STORE_UNAVAILABLE', `${filename} cannot be created${reason(cause)}`, {
      fix: 'Set a path at which a file can be created.',
      cause,
    });
  }
}

async function refuseOddFile(filename: string): Promise<void> {
  try {
    const found = await stat(filename);
    if (found.isFile()) return;
  } catch (cause) {
    const what = codeOf(cause) === 'ENOENT' ? ' is a link to nothing' : ` cannot be read${reason(cause)}`;
    throw new QueueError('E_STORE_UNAVAILABLE', `${filename}${what}`, {
      fix: 'Remove the link, or make the file that it names.',
      cause,
    });
  }
  throw new QueueError('E_STORE_UNAVAILABLE', `${filename} is not a file`, {
    fix: 'Set the path of the database file itself.',
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reason(error: unknown): string {
  const code = codeOf(error);
  return typeof code === 'string' ? ` (${code})` : '';
}

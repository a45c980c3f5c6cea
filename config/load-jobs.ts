import { realpath } from 'node:fs/promises';
import { isQueueError, type JobSource, QueueError } from '../src/index.js';
import { importFailure } from './import-failure.js';
import { type Exports, importFile } from './import-file.js';
import { jobsOf } from './job-exports.js';
import { findJobFiles, type JobFile } from './job-files.js';
import { JobTable } from './job-table.js';

/** Why a job file cannot be used. */
interface Broken {
  readonly label: string;
  readonly what: string;
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * Imports job files and answers their jobs by wire name, ready for `jobs` of a config. Globs that match
 * nothing give no jobs. Files are imported one after the other, sorted by path; a job that several of them
 * export counts once, under the name that it has in the first.
 *
 * @param globs relative to `directory`; one that starts with `!` takes files away.
 * @throws QueueError `E_JOB_FILE` naming every file that could not be used, `E_JOB_DUPLICATE` naming the files
 * of each name that two jobs have.
 */
export async function loadJobs(
  globs: string | readonly string[],
  directory: string,
): Promise<Record<string, JobSource>> {
  const table = new JobTable();
  await addJobFiles(table, typeof globs === 'string' ? [globs] : globs, directory);
  return table.toRecord();
}

/** Adds the jobs of files to a table; see {@link loadJobs}. */
export async function addJobFiles(
  table: JobTable,
  globs: readonly string[],
  directory: string,
): Promise<void> {
  await readJobFiles(globs, directory, (exports, file) => {
    for (const { name, source, as } of jobsOf(exports, file.path)) {
      table.add(name, source, `${file.label} (${as})`, file.label);
    }
  });
}

/**
 * Imports files one after the other, sorted by path, and calls `read` with what each exports.
 *
 * @throws QueueError `E_JOB_FILE` naming every file that could not be imported, or that `read` threw for.
 */
export async function readJobFiles(
  globs: readonly string[],
  directory: string,
  read: (exports: Exports, file: JobFile) => void,
): Promise<void> {
  const root = await realpath(directory).catch(() => directory);
  const broken: Broken[] = [];
  for (const file of await findJobFiles(globs, root)) {
    try {
      read(await importJobFile(file, root), file);
    } catch (error) {
      if (isQueueError(error, 'E_JOB_DUPLICATE') || isQueueError(error, 'E_CONNECTION_UNKNOWN')) throw error;
      broken.push({ label: file.label, ...importFailure(error, file.path, root, root) });
    }
  }
  if (broken.length > 0) throw brokenFiles(broken);
}

async function importJobFile({ path, refusal }: JobFile, directory: string): Promise<Exports> {
  if (refusal === undefined) return importFile(path, directory);
  throw new QueueError('E_JOB_FILE', refusal, {
    fix: 'Name the folder that it leads to in `jobs` of the config, or remove the symlink.',
  });
}

function brokenFiles(broken: readonly Broken[]): QueueError {
  const [only] = broken;
  if (broken.length === 1 && only) {
    return new QueueError('E_JOB_FILE', `could not load ${only.label}: ${only.what}`, {
      ...only,
      fix: only.fix ?? 'Mend the file; no job was taken.',
    });
  }
  const lines = broken.map(({ label, what, fix }) => {
    const line = `  ${label}: ${what}`;
    return fix === undefined ? line : `${line}. ${fix}`;
  });
  return new QueueError('E_JOB_FILE', `could not load ${broken.length} job files\n${lines.join('\n')}`, {
    fix: 'Mend the files; no job was taken.',
  });
}

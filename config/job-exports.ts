import { basename, extname } from 'node:path';
import { checkJobName, isJobClass, isJobDefinition, type JobSource, QueueError } from '../src/index.js';
import type { Exports } from './import-file.js';

/** A job that a file exports. */
export interface ExportedJob {
  /** The wire name. */
  readonly name: string;
  readonly source: JobSource;
  /** The name of the export. */
  readonly as: string;
}

/**
 * The jobs among the exports of a file; a file of helpers has none. The wire name of a class is its static
 * `jobName`, else the name of the export, and for a default export that of the file: never `class.name`,
 * which a minifier changes.
 *
 * @throws QueueError `E_JOB_NAME` for a name that cannot be one, `E_JOB_FILE` for a file whose default export
 * is no job and that has no other.
 */
export function jobsOf(exports: Exports, file: string): ExportedJob[] {
  const names = Object.keys(exports)
    .filter((name) => name !== 'default')
    .sort();
  const jobs: ExportedJob[] = [];
  for (const as of [...names, 'default']) {
    const source = exports[as];
    if (!isJobDefinition(source) && !isJobClass(source)) continue;
    if (jobs.some((job) => job.source === source)) continue; // `export { hello as default }`
    jobs.push({ name: nameOf(source, as, file), source, as });
  }
  if (jobs.length === 0 && !isHelperModule(exports)) {
    throw new QueueError('E_JOB_FILE', 'its default export is no job', {
      fix: 'Wrap it in defineJob({ name, handle }), or give its class a fire(job, data) method.',
    });
  }
  return jobs;
}

function nameOf(source: JobSource, as: string, file: string): string {
  if (isJobDefinition(source)) return source.name;
  const fallback = as === 'default' ? basename(file, extname(file)) : as;
  return checkJobName(source.jobName ?? fallback);
}

/** True where no job can have been meant by the default export. */
export function isHelperModule(exports: Exports): boolean {
  const { default: main } = exports;
  if (main === undefined) return true;
  if (typeof main !== 'object' || main === null || 'handle' in main) return false;
  // The default export of a CommonJS module is the module: all its exports are there by name, too.
  return Object.keys(main).every((name) => Object.hasOwn(exports, name));
}

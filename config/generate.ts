import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { checkJobName, checkQueueName, isQueueError, type QueueConfig, QueueError } from '../src/index.js';
import { consumerText, newJobText } from './generated-texts.js';
import { fixedPart } from './job-files.js';
import { isThere, languageOf, wrote } from './project-files.js';

/** What to write a file of, and where. */
export interface GenerateOptions {
  /** `send-mail`, or with folders before it `fast/send-mail`. */
  readonly name: string;
  /** The project's folder, absolute. */
  readonly directory: string;
  /** Tells in which folder the files are. */
  readonly config: Pick<QueueConfig, 'jobs' | 'consumers'>;
  /** Default: as the project is written. */
  readonly typescript?: boolean | undefined;
}

/** A file that was written. */
export interface Generated {
  /** Relative to the project's folder. */
  readonly file: string;
  /** The name of the job, or of the consumer's queue. */
  readonly name: string;
}

/**
 * Writes the file of a new job into the first folder of `jobs`. Overwrites nothing.
 *
 * @throws QueueError `E_USAGE` for a name that cannot be, or a file that is there already or cannot be written.
 */
export function generateJob(options: GenerateOptions): Promise<Generated> {
  const { jobs } = options.config;
  const globs = typeof jobs === 'string' ? [jobs] : Array.isArray(jobs) ? jobs : [];
  const glob = globs.find((one) => typeof one === 'string' && !one.startsWith('!'));
  const folder = glob === undefined ? 'jobs' : fixedPart(glob) || '.';
  // With its folders: two files of one name are two jobs.
  return generate(options, folder, (parts) => checkJobName(parts.join('.')), newJobText);
}

/**
 * Writes the file of a new consumer into the first folder of `consumers`, else app/queue/redis. Overwrites nothing.
 *
 * @throws QueueError as {@link generateJob}.
 */
export function generateConsumer(options: GenerateOptions): Promise<Generated> {
  const [folder = 'app/queue/redis'] = [options.config.consumers ?? []].flat();
  return generate(options, folder, (parts) => checkQueueName(parts.at(-1)), consumerText);
}

async function generate(
  { name: path, directory, typescript }: GenerateOptions,
  folder: string,
  nameOf: (parts: readonly string[]) => string,
  textOf: (name: string, typescript: boolean) => string,
): Promise<Generated> {
  const name = checked(path, nameOf);
  const language = await languageOf(directory, typescript);
  const stem = resolve(directory, folder, path);
  for (const extension of ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']) {
    const other = relative(directory, `${stem}.${extension}`);
    if (await isThere(directory, other)) {
      throw new QueueError('E_USAGE', `${other} is there already`, {
        fix: 'Nothing was written. Choose another name, or remove that file.',
      });
    }
  }
  const file = relative(directory, `${stem}.${language.extension}`);
  await wrote(file, mkdir(dirname(stem), { recursive: true }));
  await assertInside(dirname(stem), resolve(directory, folder), file);
  const text = textOf(name, language.typescript);
  await wrote(file, writeFile(join(directory, file), text, { flag: 'wx' }));
  return { file, name };
}

/** The name that comes of a path whose parts are all plain words: nothing that leads out of the folder. */
function checked(path: string, nameOf: (parts: readonly string[]) => string): string {
  const parts = path.split('/');
  if (!parts.every((part) => /^[A-Za-z_][\w-]{0,79}$/.test(part))) {
    throw new QueueError('E_USAGE', `${JSON.stringify(path)} cannot be the name of a file`, {
      fix: "Write letters, digits, _ and -, the first a letter, such as send-mail; folders go before it: 'fast/send-mail'.",
    });
  }
  try {
    return nameOf(parts);
  } catch (error) {
    if (!isQueueError(error)) throw error;
    throw new QueueError('E_USAGE', error.message, { fix: error.fix ?? '' });
  }
}

/** A symlink among the folders may lead anywhere. */
async function assertInside(folder: string, root: string, file: string): Promise<void> {
  const [real, home] = await Promise.all([realpath(folder), realpath(root)]);
  if (real === home || real.startsWith(home + sep)) return;
  throw new QueueError('E_USAGE', `${file} would be written to ${real}, outside ${home}`, {
    fix: 'Nothing was written. Remove the symlink.',
  });
}

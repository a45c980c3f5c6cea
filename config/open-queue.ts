import {
  createQueue,
  isJobDefinition,
  type JobSource,
  type Logger,
  type Queue,
  type QueueConfig,
} from '../src/index.js';
import { redisUrlNotice } from './environment.js';
import { JobTable } from './job-table.js';
import { acceptConfig, isBuiltIn, type LoadConfigOptions, loadConfig } from './load-config.js';
import { addJobFiles } from './load-jobs.js';

/** What {@link openQueue} can be told. */
export interface OpenQueueOptions extends LoadConfigOptions {
  /** A config to use instead of looking for a file; checked like one. */
  readonly config?: QueueConfig | undefined;
  /** What globs in `jobs` are relative to. Default: the folder of the config file, or the working directory. */
  readonly directory?: string | undefined;
  /** Goes before the config's logger. */
  readonly logger?: Logger | undefined;
  /** False leaves job files unread: for processes that push and look, but do not work. Default true. */
  readonly jobs?: boolean | undefined;
}

/**
 * Makes a queue from the project's config, with the jobs of its files. Opens no connection yet. Warns its
 * logger where the config is the built-in one and `REDIS_URL` is set, which this version does not read.
 *
 * @throws QueueError as {@link loadConfig}, `loadJobs` and `createQueue`.
 */
export async function openQueue(options: OpenQueueOptions = {}): Promise<Queue> {
  const { env = process.env, connection, logger } = options;
  const { config, directory } =
    options.config === undefined
      ? await loadConfig(options)
      : {
          config: acceptConfig({ config: options.config, problems: [] }, 'the config', { connection, env }),
          directory: options.cwd ?? process.cwd(),
        };
  const notice = isBuiltIn(options.config ?? config) ? redisUrlNotice(env) : undefined;
  if (notice !== undefined) (logger ?? config.logger)?.warn({}, notice);
  const jobs =
    options.jobs === false ? config.jobs : await withJobFiles(config.jobs, options.directory ?? directory);
  return createQueue({ ...config, ...(jobs && { jobs }), ...(logger && { logger }) });
}

/** The jobs of a config with its globs replaced by what the files have. */
async function withJobFiles(jobs: QueueConfig['jobs'], directory: string): Promise<QueueConfig['jobs']> {
  const listed = listOf(jobs);
  if (listed === undefined) return jobs; // names and jobs, no globs
  const table = new JobTable();
  for (const [index, job] of listed.entries()) {
    if (typeof job === 'string') continue;
    const name = isJobDefinition(job) ? job.name : job.jobName;
    if (name !== undefined) table.add(name, job, `jobs[${index}] of the config`);
  }
  const globs = listed.filter((job) => typeof job === 'string');
  await addJobFiles(table, globs, directory);
  return table.toRecord();
}

function listOf(jobs: QueueConfig['jobs']): readonly (JobSource | string)[] | undefined {
  if (typeof jobs === 'string') return [jobs];
  return Array.isArray(jobs) ? jobs : undefined;
}

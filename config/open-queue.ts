import {
  createQueue,
  isJobDefinition,
  type JobSource,
  type Logger,
  type Queue,
  type QueueConfig,
} from '../src/index.js';
import { JobTable } from './job-table.js';
import { checkConfig, type LoadConfigOptions, loadConfig } from './load-config.js';
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
 * Makes a queue from the project's config, with the jobs of its files. Opens no connection yet.
 *
 * @throws QueueError as {@link loadConfig}, `loadJobs` and `createQueue`.
 */
export async function openQueue(options: OpenQueueOptions = {}): Promise<Queue> {
  const { env = process.env, connection } = options;
  const { config, directory } =
    options.config === undefined
      ? await loadConfig(options)
      : {
          config: checkConfig(options.config, { connection, env }),
          directory: options.cwd ?? process.cwd(),
        };
  return await openChecked(config, options.directory ?? directory, options);
}

/**
 * Makes a queue as {@link openQueue} does from a config that was checked, which takes a worker's start a millisecond.
 *
 * @param directory what globs in `jobs` are relative to.
 * @throws QueueError as `loadJobs` and `createQueue`.
 */
export async function openChecked(
  config: QueueConfig,
  directory: string,
  { jobs = true, logger }: Pick<OpenQueueOptions, 'jobs' | 'logger'>,
): Promise<Queue> {
  const loaded = jobs ? await withConsumers(config, directory) : config;
  return createQueue({ ...loaded, ...(logger && { logger }) });
}

/** The config with its job files and consumers loaded. Its workers serve the consumers' queues unless it says which. */
async function withConsumers(config: QueueConfig, directory: string): Promise<QueueConfig> {
  const { consumers: folders, ...rest } = config;
  const jobs = await withJobFiles(config.jobs, directory);
  if (folders === undefined) return { ...rest, ...(jobs && { jobs }) };
  const { default: name = '', connections, worker = {} } = config;
  const names = Object.keys(connections);
  const { loadConsumers } = await import('./load-consumers.js');
  const consumers = await loadConsumers(folders, directory, { default: name, names });
  const ofJobs = jobs === undefined ? [] : [connections[name]?.settings.queue ?? 'default'];
  const queues = worker.queues ?? [...new Set([...(consumers.queues.get(name) ?? []), ...ofJobs])];
  return {
    ...rest,
    // A definition has its own name: the key only keeps it apart from what is there.
    jobs: {
      ...jobs,
      ...Object.fromEntries(consumers.jobs.map((job) => [`${job.name} of the consumers`, job])),
    },
    worker: { ...worker, ...(queues.length > 0 && { queues }) },
  };
}

/** The jobs of a config with its globs replaced by what the files have. */
async function withJobFiles(
  jobs: QueueConfig['jobs'],
  directory: string,
): Promise<Readonly<Record<string, JobSource>> | undefined> {
  const listed = listOf(jobs);
  if (listed === undefined) return jobs as Readonly<Record<string, JobSource>> | undefined; // no globs
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

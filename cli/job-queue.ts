import { loadJobs } from '../config/index.js';
import { isJobDefinition, type JobSource } from '../src/index.js';
import type { Context } from './context.js';

/** The queue that a push of a job goes to where it names none: the job's own, or the connection's. */
export async function queueOfJob(wireName: string, context: Context): Promise<string> {
  const { config, queue } = context;
  const own = await jobOf(wireName, context);
  const settings = isJobDefinition(own) ? own.settings : own;
  return settings?.queue ?? config.connections[queue.connectionName]?.settings.queue ?? 'default';
}

/** The methods that payloads may name of a job's class, sorted; none where it is no class. */
export async function methodNames(jobName: string, context: Context): Promise<string[]> {
  const job = await jobOf(jobName, context);
  if (job === undefined || isJobDefinition(job)) return [];
  const names = new Set<string>();
  for (let level: object = job.prototype; level !== null; level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) names.add(name);
  }
  // Which of them a payload may name is for the queue to say.
  return [...names].filter((name) => context.queue.hasJob(`${jobName}@${name}`)).sort();
}

async function jobOf(wireName: string, context: Context): Promise<JobSource | undefined> {
  return (await jobsByName(context)).get(wireName.split('@')[0] ?? '');
}

async function jobsByName({ config, directory }: Context): Promise<Map<string, JobSource>> {
  const { jobs = [] } = config;
  const listed: readonly (JobSource | string)[] | undefined =
    typeof jobs === 'string' ? [jobs] : Array.isArray(jobs) ? jobs : undefined;
  if (listed === undefined) return byName(Object.entries(jobs as Readonly<Record<string, JobSource>>));
  const globs = listed.filter((job) => typeof job === 'string');
  const given = listed.filter((job) => typeof job !== 'string');
  // The files were imported before, when the queue was opened: this asks again for what they export.
  const fromFiles = Object.entries(await loadJobs(globs, directory));
  return byName([...fromFiles, ...given.map((job): [string, JobSource] => ['', job])]);
}

function byName(entries: readonly (readonly [name: string, job: JobSource])[]): Map<string, JobSource> {
  return new Map(
    entries.map(([name, job]) => [isJobDefinition(job) ? job.name : (job.jobName ?? name), job]),
  );
}

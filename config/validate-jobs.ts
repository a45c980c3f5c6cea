import { checkJobName, isJobClass, isJobDefinition } from '../src/index.js';
import { isSection, keyPath, kindOf, type Problem, problemOf } from './problem.js';

/** What is wrong with `jobs`, whether its files can be loaded left aside. */
export function jobsProblems(jobs: unknown): Problem[] {
  const fix = "Write a glob such as './jobs/**/*.ts', a list of jobs and globs, or an object of jobs.";
  if (jobs === undefined) return [];
  if (typeof jobs === 'string') return globProblems(jobs, 'jobs');
  if (isJobDefinition(jobs) || isJobClass(jobs)) {
    return [{ path: 'jobs', what: 'is one job, not a list', fix: 'Write jobs: [job].' }];
  }
  if (Array.isArray(jobs)) return jobs.flatMap((job, index) => listedProblems(job, keyPath('jobs', index)));
  if (isSection(jobs)) {
    return Object.entries(jobs).flatMap(([name, job]) => jobProblems(job, name, keyPath('jobs', name)));
  }
  return [{ path: 'jobs', what: `is ${kindOf(jobs)}`, fix }];
}

function globProblems(glob: string, path: string): Problem[] {
  return glob.trim() === '' ? [{ path, what: 'is an empty glob', fix: "Write './jobs/**/*.ts'." }] : [];
}

function listedProblems(job: unknown, path: string): Problem[] {
  if (typeof job === 'string') return globProblems(job, path);
  if (isJobClass(job) && job.jobName === undefined) {
    const fix = "Give it static jobName = 'Dismiss', or register it under a name: jobs: { Dismiss }.";
    return [{ path, what: 'is a class without a wire name', fix }];
  }
  return jobProblems(job, '', path);
}

function jobProblems(job: unknown, name: string, path: string): Problem[] {
  if (isJobDefinition(job)) return [];
  if (!isJobClass(job)) {
    return [{ path, what: `is ${kindOf(job)}, neither a defineJob() nor a class with fire()` }];
  }
  try {
    checkJobName(job.jobName ?? name);
    return [];
  } catch (error) {
    return [problemOf(error, path)];
  }
}

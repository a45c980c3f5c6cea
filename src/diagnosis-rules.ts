import { isQueueError } from './errors.js';
import type { FailedJob } from './failed-jobs.js';
import type { Finding } from './finding.js';
import type { QueueReading } from './monitor.js';
import { mayServe, type WorkerInfo } from './worker-info.js';
import { checkWorkerOptions, type WorkerOptions } from './worker-options.js';

/** Whether leases outlast the runs of jobs, and the other settings of workers are good. Pure. */
export function leaseFinding(
  options: WorkerOptions,
  connection: { readonly name: string; readonly queue: string; readonly leaseMs: number },
): Finding {
  const check = 'lease';
  try {
    const { timeoutMs, graceMs } = checkWorkerOptions(options, connection);
    const [lease, timeout, grace] = [connection.leaseMs, timeoutMs, graceMs].map((ms) => `${ms / 1000} s`);
    const limit = timeoutMs === 0 ? 'no timeout' : `a timeout of ${timeout} and a grace of ${grace}`;
    return { check, status: 'ok', message: `a lease of ${lease}, ${limit}` };
  } catch (error) {
    if (!isQueueError(error)) throw error;
    return {
      check,
      status: 'error',
      message: error.message,
      fix: error.fix ?? 'Mend `worker` of the config.',
    };
  }
}

/**
 * Whether some worker serves the queue of each job. Pure.
 *
 * @param jobQueues the queues that definitions name, by job.
 * @param served the queues that workers serve.
 */
export function servedFindings(
  jobQueues: ReadonlyMap<string, string>,
  served: readonly string[],
  ownQueue: string,
): Finding[] {
  const check = 'served';
  const jobsOf = new Map<string, string[]>();
  for (const [job, queue] of jobQueues) {
    if (!served.includes(queue)) jobsOf.set(queue, [...(jobsOf.get(queue) ?? []), job]);
  }
  if (!served.includes(ownQueue))
    jobsOf.set(ownQueue, ['jobs that name no queue', ...(jobsOf.get(ownQueue) ?? [])]);
  if (jobsOf.size === 0) {
    return [{ check, status: 'ok', message: `workers serve ${served.join(', ')}: the queues of all jobs` }];
  }
  return [...jobsOf].map(([queue, jobs]) => ({
    check,
    status: 'warning',
    message: `nobody serves queue ${queue}, to which ${jobs.join(', ')} are pushed; workers serve ${served.join(', ')}`,
    fix: `Add ${queue} to worker.queues of the config or to --queue of a worker, and name here with --queue what they serve.`,
  }));
}

/**
 * Whether jobs wait that nobody runs. Pure.
 *
 * @param readings of the queues of one connection.
 * @param workers those on its list; undefined where its store keeps none.
 * @param isHalted whether jobs of a queue are kept from workers on purpose, which has findings of its own.
 */
export function queueFindings(
  readings: readonly QueueReading[],
  workers: readonly WorkerInfo[] | undefined,
  isHalted: (queue: string) => boolean,
): Finding[] {
  const check = 'workers';
  const live = workers?.filter(({ state }) => state !== 'gone?');
  const stuck = readings.flatMap((reading) => stuckFinding(reading, live, isHalted(reading.queue)) ?? []);
  if (stuck.length > 0) return stuck;
  const sums = readings.map(
    ({ queue, ready, delayed, reserved }) => `${queue} ${ready}/${delayed}/${reserved}`,
  );
  return [{ check, status: 'ok', message: `ready/delayed/reserved: ${sums.join(', ')}` }];
}

/** Without a list, that jobs are ready and none is reserved is the sign of a worker that is missing. */
function stuckFinding(
  { connection, queue, ready, delayed, reserved }: QueueReading,
  live: readonly WorkerInfo[] | undefined,
  isHalted: boolean,
): Finding | undefined {
  const about = { check: 'workers', status: 'warning' } as const;
  const isListed = live?.some((worker) => mayServe(worker, queue));
  if (isListed === false && ready + delayed > 0) {
    const waiting = `${count(ready + delayed, 'job')} of queue ${queue} ${ready + delayed === 1 ? 'waits' : 'wait'}`;
    return {
      ...about,
      message: `${waiting}, and no worker that serves it is on the list of those that live`,
      fix: `Start one: drover queue:work --connection ${connection} --queue ${queue}`,
    };
  }
  if (ready === 0 || reserved > 0 || isHalted) return undefined;
  return {
    ...about,
    message: `${count(ready, 'job')} of queue ${queue} ${ready === 1 ? 'is' : 'are'} ready, and none is being run`,
    fix: isListed
      ? `See what its workers do: drover queue:workers --connection ${connection}`
      : `See that a worker serves it: drover queue:work --connection ${connection} --queue ${queue}`,
  };
}

/**
 * What failed lately, and whether it failed because no worker knew it. Pure.
 *
 * @param jobs those of the last 24 hours, at most `limit`.
 */
export function failedFindings(jobs: readonly FailedJob[], limit: number): Finding[] {
  if (jobs.length === 0) {
    return [{ check: 'failed-jobs', status: 'ok', message: 'no job failed in the last 24 hours' }];
  }
  const findings: Finding[] = [
    {
      check: 'failed-jobs',
      status: 'warning',
      message: `${jobs.length >= limit ? 'at least ' : ''}${count(jobs.length, 'job')} failed in the last 24 hours`,
      fix: 'See them with drover queue:failed, and run them again with drover queue:retry.',
    },
  ];
  const unknown = [
    ...new Set(jobs.filter(({ reason }) => reason === 'unknown-job').map(({ name }) => name ?? '')),
  ];
  if (unknown.length > 0) {
    findings.push({
      check: 'unknown-jobs',
      status: 'warning',
      message: `no worker knew ${unknown.sort().join(', ')}: given up in the last 24 hours`,
      fix: 'Check `jobs` of the config, restart workers that run old code, then drover queue:retry.',
    });
  }
  return findings;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

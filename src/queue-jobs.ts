import { checkJobName, checkQueueName } from './names.js';

/** What stands before the name of a queue where a job cannot be called like it. */
const before = 'queue:';

/** The wire name of the one job of a queue: the queue's own name, or `queue:` and that where no job can have it. */
export function jobOfQueue(queue: string): string {
  return isJobName(queue) ? queue : before + queue;
}

/**
 * The queue whose one job has this wire name.
 *
 * @throws QueueError `E_QUEUE_NAME` where no queue can be called so.
 */
export function queueOfJob(job: string): string {
  const rest = job.startsWith(before) ? job.slice(before.length) : '';
  return checkQueueName(rest !== '' && !isJobName(rest) ? rest : job);
}

function isJobName(name: string): boolean {
  try {
    checkJobName(name);
    return true;
  } catch {
    return false;
  }
}

import { suggest } from '../config/suggest.js';
import { QueueError } from '../src/index.js';
import type { Context } from './context.js';
import { methodNames } from './job-queue.js';

/**
 * Refuses a wire name that no worker with these job files could run, a method that its class does not offer
 * included.
 *
 * @throws QueueError `E_JOB_UNKNOWN` with the name that was probably meant.
 */
export async function assertKnown(wireName: string, context: Context): Promise<void> {
  const { queue } = context;
  if (queue.hasJob(wireName)) return;
  const [job = '', method = 'fire'] = wireName.split('@');
  if (queue.jobNames.includes(job)) {
    const fix = methodMeant(job, method, await methodNames(job, context));
    throw unknown(`job ${job} has no method ${method} to run`, fix);
  }
  const near = suggest(job, queue.jobNames);
  const all =
    queue.jobNames.length === 0 ? 'The job files define none.' : `The jobs are ${queue.jobNames.join(', ')}.`;
  throw unknown(`no job file defines a job ${wireName}`, near === undefined ? all : `Did you mean ${near}?`);
}

function methodMeant(job: string, method: string, offered: readonly string[]): string {
  if (offered.length === 0) return `It is no class: push ${job}.`;
  const near = suggest(method, offered);
  if (near !== undefined) return `Did you mean ${job}@${near}?`;
  return `It offers ${offered.map((name) => `${job}@${name}`).join(', ')}.`;
}

function unknown(message: string, fix: string): QueueError {
  return new QueueError('E_JOB_UNKNOWN', message, {
    fix: `${fix} Add --force for a job that another application runs.`,
  });
}

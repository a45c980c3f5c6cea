import { QueueError } from './errors.js';
import { checkJobName } from './names.js';
import type { Payload } from './payload.js';

const handlers = /^\\?(?:think|illuminate)\\queue\\CallQueuedHandler(?:@|$)/i;

/**
 * True for the names under which think-queue and Laravel push objects: their payloads carry an object in PHP's
 * `serialize()` form, which is never read here, let alone run.
 */
export function isObjectJob(wireName: string): boolean {
  return handlers.test(wireName);
}

/** @throws QueueError `E_JOB_NAME` for a name that stands for an object of PHP. */
export function assertNoObjectJob(wireName: string): void {
  if (!isObjectJob(wireName)) return;
  throw new QueueError(
    'E_JOB_NAME',
    `${wireName} is how PHP names its object jobs, which drover never makes`,
    {
      fix: "Push the name of a class with fire(), such as 'app\\\\job\\\\Demo', with plain data.",
    },
  );
}

/** The payload with the name that it is shown and counted by: of an object job, the class of the object. */
export function shownPayload(payload: Payload): Payload {
  if (!isObjectJob(payload.job)) return payload;
  const { commandName } = Object(payload.data) as { readonly commandName?: unknown };
  try {
    return { ...payload, job: checkJobName(commandName) };
  } catch {
    return payload; // it names none
  }
}

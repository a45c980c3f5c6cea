import { QueueError } from './errors.js';
import { shown } from './shown.js';

/**
 * Answers the name when it can be a queue: letters, digits and `_ . : -`, at most 120 of them, and not
 * ending in `:delayed` or `:reserved` or similar, which stores use beside the queue's own name.
 *
 * @throws QueueError `E_QUEUE_NAME`.
 */
export function checkQueueName(name: unknown): string {
  const fix = 'Use 1 to 120 letters, digits, _ . : or -, not ending in :delayed, :reserved or :notify.';
  if (typeof name !== 'string' || !/^[\w.:-]{1,120}$/.test(name)) {
    throw new QueueError('E_QUEUE_NAME', `${shown(name)} cannot be the name of a queue`, { fix });
  }
  if (/:(?:delayed|reserved|notify)$/.test(name)) {
    throw new QueueError('E_QUEUE_NAME', `queue ${name} would share its keys with another queue`, { fix });
  }
  return name;
}

/**
 * Answers the name when it can be a job's wire name: it starts with a letter or `_` and goes on with
 * letters, digits and `_ . : / \ -`, at most 190 of them, without `..`.
 *
 * @throws QueueError `E_JOB_NAME`.
 */
export function checkJobName(name: unknown): string {
  if (typeof name !== 'string' || !/^[A-Za-z_][\w./\\:-]{0,189}$/.test(name) || name.includes('..')) {
    throw new QueueError('E_JOB_NAME', `${shown(name)} cannot be the name of a job`, {
      fix: "Start with a letter or _, then letters, digits, _ . : / \\ or -, such as 'mail.send'.",
    });
  }
  return name;
}

/** Names that were found good: every delivery brings one of the same few. */
const goodWireNames = new Set<string>();
const mostRemembered = 1000;

/**
 * Answers the name when it can stand in a payload: a job's wire name, or that of a class with `@method`. PHP may
 * write a `\` before a class.
 *
 * @throws QueueError `E_JOB_NAME`.
 */
export function checkWireName(name: unknown): string {
  if (goodWireNames.has(name as string)) return name as string;
  const [job, method, ...rest] = typeof name === 'string' ? name.split('@') : [undefined];
  checkJobName(job?.replace(/^\\/, ''));
  if (rest.length > 0 || (method !== undefined && !/^[A-Za-z_]\w{0,63}$/.test(method))) {
    throw new QueueError('E_JOB_NAME', `${shown(name)} cannot be the name of a job`, {
      fix: "Name one method of a class as 'Class@method'.",
    });
  }
  if (goodWireNames.size < mostRemembered) goodWireNames.add(name as string);
  return name as string;
}

/**
 * Answers the id when it can be a caller-given job id: letters, digits and `_ . : -`, at most 64.
 *
 * @throws QueueError `E_PAYLOAD_INVALID`.
 */
export function checkJobId(id: unknown): string {
  if (typeof id !== 'string' || !/^[\w.:-]{1,64}$/.test(id)) {
    throw new QueueError('E_PAYLOAD_INVALID', `id: ${shown(id)} cannot be the id of a job`, {
      fix: 'Use 1 to 64 letters, digits, _ . : or -.',
    });
  }
  return id;
}

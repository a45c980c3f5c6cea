import {
  type Decoded,
  jobOfQueue,
  type Payload,
  QueueError,
  queueOfJob,
  type WireFormat,
} from '../../src/index.js';
import { parsePackage, phpAscii, phpText, rewritten } from './package-text.js';

/** What a connection says of retries, in webman's words. */
export interface RetrySettings {
  readonly maxAttempts: number;
  readonly retrySeconds: number;
}

/** Waits grow up to this attempt at least, also where a job allows itself more of them than the connection. */
const fewestWaits = 60;

/** What webman counts to where there is no limit. */
const noLimit = 2_147_483_647;

/** webman's packages: `id, time, delay, attempts, queue, data`. The name of a job is that of its queue. */
export function webmanFormat({ maxAttempts, retrySeconds }: RetrySettings): WireFormat {
  const maxTries = maxAttempts + 1;
  const backoff = Array.from(
    { length: Math.max(fewestWaits, maxAttempts) },
    (_, index) => retrySeconds * (index + 1),
  );
  return {
    name: 'webman',
    encode: encodePackage,
    decode: (body) => decodePackage(body, { maxTries, backoff }),
    queueOf: queueOfJob,
    noteFailure: (body, { attempts, tries, message, data }) =>
      rewritten(body, {
        ...(data && { data: JSON.stringify(data.value ?? null) }),
        max_attempts: String(tries === 0 ? noLimit : tries - 1),
        error: phpText(message),
        attempts: String(attempts),
      }),
  };
}

function encodePackage({ job, maxTries, timeout, timeoutAt, backoff, data, id, dueAt = 0 }: Payload): string {
  if (maxTries !== null || timeout !== null || timeoutAt !== undefined || backoff !== undefined) {
    throw new QueueError(
      'E_UNSUPPORTED',
      `job ${job}: a package of webman says nothing of its tries or times`,
      {
        fix: 'Leave out tries, timeout, backoff and retryUntil: max_attempts and retry_seconds of the connection hold.',
      },
    );
  }
  const time = Math.floor(dueAt / 1000);
  // As the connector stores it, but for the times, which are those of the push.
  return phpAscii(
    JSON.stringify({ id, time, delay: 0, attempts: 0, queue: queueOfJob(job), data: data ?? null }),
  );
}

function decodePackage(body: string, rules: Pick<Payload, 'maxTries' | 'backoff'>): Decoded {
  const value = parsePackage(body);
  if (value === undefined) return { problem: 'the package is no JSON object with fields' };
  const { id, queue, data = null, time, delay } = value;
  if (typeof queue !== 'string' || queue === '') return { problem: 'the package names no queue' };
  const due = (Number(time) + (Number(delay) || 0)) * 1000;
  return {
    payload: {
      job: jobOfQueue(queue),
      timeout: null,
      data,
      ...rules,
      ...(Number.isFinite(due) && { dueAt: due }),
      id: typeof id === 'string' || typeof id === 'number' ? String(id) : '',
    },
  };
}

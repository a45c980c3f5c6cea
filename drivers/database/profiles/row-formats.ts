import { type Decoded, nativeFormat, type Payload, QueueError, type WireFormat } from '../../../src/index.js';
import { asciiJson } from './ascii-json.js';

/** think-queue 3's rows: its payload without `id` and `attempts`, which are columns. */
export const thinkQueue3Rows: WireFormat = {
  name: 'think-3',
  encode({ job, maxTries, timeout, timeoutAt, data, backoff, trace }) {
    // PHP passes over the fields that it does not know.
    return asciiJson({ job, maxTries, timeout: wholeSeconds(timeout), timeoutAt, data, backoff, ...trace });
  },
  decode: (body) => nativeFormat.decode(body),
};

/** think-queue 1's and 2's rows: `{job, data}`. */
export const thinkQueue1Rows: WireFormat = {
  name: 'think-1',
  encode({ job, maxTries, timeout, timeoutAt, data, backoff, trace }) {
    const limits = { tries: maxTries, timeout, retryUntil: timeoutAt, backoff };
    for (const [option, value] of Object.entries(limits)) {
      if (value === null || value === undefined) continue;
      throw new QueueError(
        'E_UNSUPPORTED',
        `job ${job}: a payload of think-queue 1 has no place for ${option}`,
        {
          fix: `Leave ${option} to the workers: PHP's --tries, and settings of the job or the worker here.`,
        },
      );
    }
    return asciiJson({ job, data, ...trace });
  },
  decode: (body) => nativeFormat.decode(body),
};

/** Laravel's rows of string jobs, with the fields that versions 10 to 13 have in common. */
export const laravelRows: WireFormat = {
  name: 'laravel',
  encode({ job, maxTries, timeout, timeoutAt, data, backoff, trace, id }) {
    return asciiJson({
      uuid: id,
      displayName: job.split('@')[0],
      job,
      maxTries,
      maxExceptions: null,
      failOnTimeout: false,
      backoff: backoffOf(job, backoff),
      timeout: wholeSeconds(timeout),
      retryUntil: timeoutAt,
      data,
      ...trace,
    });
  },
  decode(body) {
    let fields: Record<string, unknown>;
    try {
      fields = JSON.parse(body);
    } catch {
      return nativeFormat.decode(body); // which says why
    }
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
      return nativeFormat.decode(body);
    const { uuid, backoff, retryUntil, ...others } = fields;
    return nativeFormat.decode(
      JSON.stringify({ ...others, id: uuid, timeoutAt: retryUntil, backoff: secondsOf(backoff) }),
    ) satisfies Decoded;
  },
};

function wholeSeconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.ceil(seconds);
}

/** Laravel has a number of seconds or a list of them, written `1,5`. */
function backoffOf(job: string, backoff: Payload['backoff']): number | string | null {
  if (backoff === undefined) return null;
  const list: readonly unknown[] = Array.isArray(backoff) ? backoff : [backoff];
  if (list.every((wait) => typeof wait === 'number' && Number.isInteger(wait))) return list.join(',');
  throw new QueueError('E_UNSUPPORTED', `job ${job}: a payload of Laravel has no place for this backoff`, {
    fix: 'Write it in whole seconds, such as 5 or [1, 5, 10], or leave it to the job or the worker.',
  });
}

function secondsOf(backoff: unknown): number | number[] | undefined {
  if (typeof backoff === 'number') return backoff;
  if (typeof backoff !== 'string' || !/^\d+(?:,\d+)*$/.test(backoff)) return undefined;
  return backoff.split(',').map(Number);
}

import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, type Driver, defineJob, type JobContext, RetryAfterError } from '../../src/index.js';
import { type Action, decide } from '../../src/retry-policy.js';
import { manualClock } from '../support/manual-clock.js';
import { workOff } from '../support/recorder.js';

const backoff = { kind: 'list', delaysMs: [5] } as const;
const now = { nowMs: 0, random: 0 };
const error = new Error('boom');

describe('the decision', () => {
  const thrown = (attempts: number, exceptions: number, rules: { tries: number; maxExceptions?: number }) => {
    const job = { state: 'open', ack: 'auto', attempts, exceptions } as const;
    return decide({ returned: false, error }, job, { ...rules, backoff }, now) as Action;
  };

  test.each([
    ['counts', 1, 0, { tries: 0, maxExceptions: 3 }, { action: 'release-thrown', delayMs: 5, error }],
    ['counts errors alone', 90, 1, { tries: 0, maxExceptions: 3 }, { action: 'release-thrown' }],
    ['fails with the last', 3, 2, { tries: 0, maxExceptions: 3 }, { reason: 'max-exceptions', error }],
    ['fails when it was lowered', 9, 8, { tries: 0, maxExceptions: 3 }, { reason: 'max-exceptions' }],
    ['tries end it before', 2, 1, { tries: 2, maxExceptions: 3 }, { reason: 'max-tries' }],
    ['tries are what is told of both', 3, 2, { tries: 3, maxExceptions: 3 }, { reason: 'max-tries' }],
    ['nothing is counted without it', 9, 8, { tries: 0 }, { action: 'release' }],
    ['nor with 0', 9, 8, { tries: 0, maxExceptions: 0 }, { action: 'release' }],
  ])('%s', (_, attempts, exceptions, rules, expected) => {
    expect(thrown(attempts, exceptions, rules)).toMatchObject(expected);
  });
});

interface Run {
  readonly handle: (context: JobContext<unknown>) => unknown;
  readonly maxExceptions?: number;
  readonly wrap?: (driver: Driver) => Driver;
}

/** Works until nothing is left, an hour at a time; answers what is on record, and how often the handler was called. */
async function ran({ handle, maxExceptions, wrap = (driver) => driver }: Run, pushed: object = {}) {
  const clock = manualClock();
  let runs = 0;
  const job = defineJob({
    name: 'job',
    tries: 0,
    backoff: '1s',
    ...(maxExceptions !== undefined && { maxExceptions }),
    handle: (context) => {
      runs += 1;
      return handle(context);
    },
  });
  const queue = createQueue({ connections: { default: wrap(memory({ clock })) }, jobs: [job], clock });
  await queue.push(job, null, { id: 'it', ...pushed });
  for (let hour = 0; hour < 20; hour++) {
    await workOff(queue);
    clock.advance(3_600_000);
  }
  const [record] = await queue.failed.list();
  return { runs, reason: record?.reason, message: record?.message, attempts: record?.attempts, queue };
}

describe('a job that', () => {
  const fail = () => {
    throw error;
  };

  test('always throws fails with its last error', async () => {
    const record = { runs: 3, reason: 'max-exceptions', message: 'boom', attempts: 3 };
    expect(await ran({ handle: fail, maxExceptions: 3 })).toMatchObject(record);
    expect(await ran({ handle: fail, maxExceptions: 9 }, { maxExceptions: 3 })).toMatchObject(record);
    expect(await ran({ handle: fail }, { maxExceptions: 3 })).toMatchObject(record);
  });

  test('releases itself is not counted', async () => {
    const handle = ({ job }: JobContext<unknown>) => {
      if (job.attempts() % 3 !== 0) return job.release('1s');
      throw error;
    };
    expect(await ran({ handle, maxExceptions: 3 })).toMatchObject({ runs: 9, reason: 'max-exceptions' });
  });

  test('names its wait with an error is counted', async () => {
    const handle = () => {
      throw new RetryAfterError('1s', 'later');
    };
    expect(await ran({ handle, maxExceptions: 2 })).toMatchObject({ runs: 2, message: 'later' });
  });

  test('is stopped by its timeout is not', async () => {
    const handle = async ({ job, signal }: JobContext<unknown>) => {
      if (job.attempts() > 4) throw error;
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const end = await ran({ handle, maxExceptions: 2 }, { timeout: '5ms' });
    expect(end).toMatchObject({ runs: 6, reason: 'max-exceptions', message: 'boom' });
  });

  test('was retried by hand starts anew', async () => {
    const { queue, runs } = await ran({ handle: fail, maxExceptions: 2 });
    expect(runs).toBe(2);
    await queue.failed.retry(await queue.failed.list());
    expect(await queue.find('it')).toMatchObject([{ attempts: 0, exceptions: 0 }]);
    await workOff(queue);
    expect(await queue.find('it')).toMatchObject([{ attempts: 1, exceptions: 1 }]);
  });

  test('lies in a store that does not count fails no later than after as many deliveries', async () => {
    const withoutVerb = (driver: Driver): Driver => ({
      ...driver,
      connect: (context) => {
        const connector = driver.connect(context);
        return Object.assign(connector, { releaseThrown: undefined });
      },
    });
    const handle = ({ job }: JobContext<unknown>) => (job.attempts() < 3 ? job.release() : fail());
    expect(await ran({ handle, maxExceptions: 3, wrap: withoutVerb })).toMatchObject({
      runs: 3,
      reason: 'max-exceptions',
    });
  });
});

test.each([-1, 1.5, '3', Number.NaN])('%s is no number of them', async (maxExceptions) => {
  const refused = { code: 'E_CONFIG', message: expect.stringContaining('maxExceptions') };
  const options = { name: 'job', handle: () => {}, maxExceptions: maxExceptions as number };
  expect(() => defineJob(options)).toThrow(expect.objectContaining(refused));
  const queue = createQueue({ connections: { default: memory() } });
  await expect(queue.push('job', null, { maxExceptions: maxExceptions as number })).rejects.toMatchObject(
    refused,
  );
});

import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  defineJob,
  type Pushable,
  type PushOptions,
  type QueueConfig,
} from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';

const job = defineJob({ name: 'job', handle() {} });

function setUp(config: Partial<QueueConfig> = {}) {
  const driver = faulty(memory());
  return { driver, queue: createQueue({ connections: { default: driver }, ...config }) };
}

describe('a push is refused before the store is asked', () => {
  test.each<[string, unknown, string]>([
    ['an unknown option', { dealy: 5 }, 'E_CONFIG'],
    ['a bad queue', { queue: 'a b' }, 'E_QUEUE_NAME'],
    ['a queue that is no text', { queue: 5 }, 'E_QUEUE_NAME'],
    ['an unknown connection', { connection: 'nowhere' }, 'E_CONNECTION_UNKNOWN'],
    ['a connection of the prototype', { connection: 'constructor' }, 'E_CONNECTION_UNKNOWN'],
    ['a bad delay', { delay: 'soon' }, 'E_DURATION'],
    ['a negative delay', { delay: -1 }, 'E_DURATION'],
    ['a delay in ms by mistake', { delay: 1_700_000_000_000 }, 'E_DURATION'],
    ['a delay that is a Date', { delay: new Date() }, 'E_DURATION'],
    ['an invalid Date', { at: new Date('never') }, 'E_DURATION'],
    ['a time that is no Date', { at: '2030-01-01' }, 'E_DURATION'],
    ['a number as time', { at: 1_700_000_000_000 }, 'E_DURATION'],
    ['delay and at', { delay: 1, at: new Date() }, 'E_CONFIG'],
    ['negative tries', { tries: -1 }, 'E_CONFIG'],
    ['broken tries', { tries: 1.5 }, 'E_CONFIG'],
    ['tries as text', { tries: '3' }, 'E_CONFIG'],
    ['no number of tries', { tries: Number.NaN }, 'E_CONFIG'],
    ['a bad timeout', { timeout: '5 min' }, 'E_DURATION'],
    ['a bad backoff', { backoff: [] }, 'E_CONFIG'],
    ['a bad span in a backoff', { backoff: ['soon'] }, 'E_DURATION'],
    ['a bad id', { id: 'a b' }, 'E_PAYLOAD_INVALID'],
    ['an empty id', { id: '' }, 'E_PAYLOAD_INVALID'],
    ['a number as id', { id: 7 }, 'E_PAYLOAD_INVALID'],
  ])('for %s', async (_, options, code) => {
    const { queue, driver } = setUp();
    await expect(queue.push(job, null, options as PushOptions)).rejects.toMatchObject({
      name: 'QueueError',
      code,
    });
    await expect(queue.pushMany([[job], [job, null, options as PushOptions]])).rejects.toMatchObject({
      code,
    });
    expect(driver.faults.calls('push')).toBe(0);
  });

  test.each<[string, unknown, string]>([
    ['a bad name', 'no spaces', 'E_JOB_NAME'],
    ['a path', '../../etc/passwd', 'E_JOB_NAME'],
    ['an empty name', '', 'E_JOB_NAME'],
    ['nothing', undefined, 'E_JOB_UNKNOWN'],
    ['null', null, 'E_JOB_UNKNOWN'],
    ['a number', 5, 'E_JOB_UNKNOWN'],
    ['a plain object', { name: 'job', handle() {} }, 'E_JOB_UNKNOWN'],
    ['a function', () => {}, 'E_JOB_UNKNOWN'],
    ['a class that is not registered', class Dismiss {}, 'E_JOB_UNKNOWN'],
  ])('for %s as the job', async (_, pushed, code) => {
    const { queue, driver } = setUp();
    await expect(queue.push(pushed as Pushable, null)).rejects.toMatchObject({ name: 'QueueError', code });
    await expect(queue.pushMany([['fine'], [pushed as Pushable]])).rejects.toMatchObject({ code });
    expect(driver.faults.calls('push')).toBe(0);
  });

  test('for a class whose jobName cannot be one', async () => {
    const { queue, driver } = setUp();
    class Bad {
      static readonly jobName = 'no spaces';
      fire() {}
    }
    await expect(queue.push(Bad, null)).rejects.toMatchObject({ code: 'E_JOB_NAME' });
    expect(driver.faults.calls('push')).toBe(0);
  });

  test('for data that JSON would change, naming its path', async () => {
    const { queue, driver } = setUp();
    await expect(queue.push('job', { at: new Date() })).rejects.toMatchObject({
      code: 'E_PAYLOAD_INVALID',
      message: 'data.at is a Date, which JSON would change',
    });
    await expect(queue.bulk('job', [1, 2, Number.NaN])).rejects.toMatchObject({ code: 'E_PAYLOAD_INVALID' });
    expect(driver.faults.calls('push')).toBe(0);
  });
});

describe('the size of a payload', () => {
  test('may be 1 MiB unless told otherwise', async () => {
    const { queue, driver } = setUp();
    const rest = JSON.stringify({
      job: 'job',
      maxTries: null,
      timeout: null,
      data: '',
      dueAt: Date.now(), // as many digits for two centuries to come
      id: 'x',
      attempts: 0,
    }).length;
    await queue.push('job', 'x'.repeat(1_048_576 - rest), { id: 'x' });
    await expect(queue.push('job', 'x'.repeat(1_048_576 - rest + 1), { id: 'x' })).rejects.toMatchObject({
      code: 'E_PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('1048577 bytes exceed the 1048576'),
    });
    await expect(queue.push('job', 'x'.repeat(10_000_000))).rejects.toMatchObject({
      code: 'E_PAYLOAD_TOO_LARGE',
    });
    expect(driver.faults.calls('push')).toBe(1);
  });

  test('is what the config allows', async () => {
    const { queue } = setUp({ maxPayloadBytes: 200 });
    await queue.push('job', 'short');
    await expect(queue.push('job', 'x'.repeat(200))).rejects.toMatchObject({ code: 'E_PAYLOAD_TOO_LARGE' });
  });
});

test('a larger payload that is in the store already is run as any other', async () => {
  const seen: number[] = [];
  const large = defineJob({ name: 'large', handle: ({ data }: { data: string }) => seen.push(data.length) });
  const { queue, driver } = setUp({ jobs: [large] });
  const body = JSON.stringify({ job: 'large', data: 'x'.repeat(10_000_000), id: 'x', attempts: 0 });
  await driver.store.push('default', [{ id: 'x', body }]);
  await queue.worker({ once: true }).run();
  expect(seen).toEqual([10_000_000]);
});

test('what the store says reaches whoever pushed, and is not tried again behind their back', async () => {
  const { queue, driver } = setUp();
  driver.faults.refuse('push');
  await expect(queue.push(job, null)).rejects.toMatchObject({ code: 'E_STORE_UNAVAILABLE', transient: true });
  expect(driver.faults.calls('push')).toBe(1);
});

describe('a definition is refused', () => {
  test.each<[string, object, string]>([
    ['for a bad name', { name: 'a b' }, 'E_JOB_NAME'],
    ['for a name with a method', { name: 'a@b' }, 'E_JOB_NAME'],
    ['for a bad queue', { queue: 'a b' }, 'E_QUEUE_NAME'],
    ['for bad tries', { tries: -1 }, 'E_CONFIG'],
    ['for a bad timeout', { timeout: 'x' }, 'E_DURATION'],
    ['for a bad backoff', { backoff: {} }, 'E_CONFIG'],
    ['for a bad ack', { ack: 'never' }, 'E_CONFIG'],
    ['without a handler', { handle: undefined }, 'E_CONFIG'],
  ])('%s', (_, bad, code) => {
    expect(() => defineJob({ name: 'fine', handle() {}, ...bad })).toThrow(
      expect.objectContaining({ name: 'QueueError', code }),
    );
  });
});

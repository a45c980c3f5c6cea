import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type PushOptions, type QueueConfig } from '../../src/index.js';

/** What people write who know another queue: each is told what to write here. */
const job = defineJob({ name: 'job', handle() {} });
const queue = createQueue({ connections: { default: memory() }, jobs: [job] });

function refusal(message: RegExp, fix: RegExp): object {
  return expect.objectContaining({
    code: 'E_CONFIG',
    message: expect.stringMatching(message),
    fix: expect.stringMatching(fix),
  });
}

describe('a config', () => {
  test.each<[unknown, RegExp]>([
    [undefined, /undefined is not a config/],
    [{ connections: { m: memory() }, faild: 'none' }, /createQueue: there is no option faild/],
    [{ conections: { m: memory() } }, /createQueue: there is no option conections/],
    [{ connections: { m: memory() }, maxPayloadBytes: Number.NaN }, /maxPayloadBytes: NaN/],
  ])('%o', (config, message) => {
    expect(() => createQueue(config as QueueConfig)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringMatching(message) }),
    );
  });
});

describe('a job', () => {
  test('with options of another queue', () => {
    const options = { name: 'a', attempts: 1, handle() {} };
    expect(() => defineJob(options)).toThrow(refusal(/no option attempts/, /tries/));
  });

  test('as a name and a function', () => {
    expect(() => defineJob('a' as never)).toThrow(refusal(/'a' is not an object/, /defineJob\(\{/));
  });

  test('a class in an object in the list', () => {
    class Dismiss {
      fire(): void {}
    }
    const jobs = [job, { Dismiss }] as never;
    expect(() => createQueue({ connections: { m: memory() }, jobs })).toThrow(
      refusal(/neither a defineJob\(\) nor a class/, /\{ sendMail, Dismiss \}/),
    );
  });
});

describe('a push', () => {
  test('with the queue as third argument, as in think-queue', async () => {
    await expect(queue.push(job, 1, 'mail' as never)).rejects.toThrow(refusal(/'mail'/, /queue: 'mail'/));
    await expect(queue.later(5, job, 1, 'mail' as never)).rejects.toThrow(refusal(/'mail'/, /queue: 'mail'/));
  });

  test('with options by the names of another queue', async () => {
    const named = (options: object) => queue.push(job, 1, options as PushOptions);
    await expect(named({ attempts: 3 })).rejects.toThrow(refusal(/no option attempts/, /called tries/));
    await expect(named({ jobId: 'a' })).rejects.toThrow(refusal(/no option jobId/, /called id/));
  });

  test('of many as objects', async () => {
    const entries = [{ name: 'job', data: 1 }] as never;
    await expect(queue.pushMany(entries)).rejects.toThrow(refusal(/is not a list/, /pushMany\(\[\[/));
  });

  test.each([null, 5, ['mail']])('with %o in place of options', async (options) => {
    const said = refusal(/push: .* is not an object of options/, /write \{ delay/);
    const wrong = options as never;
    await expect(queue.push(job, 1, wrong)).rejects.toThrow(said);
    await expect(queue.later(5, job, 1, wrong)).rejects.toThrow(said);
    await expect(queue.bulk(job, [1], wrong)).rejects.toThrow(said);
    await expect(queue.pushMany([[job, 1, wrong]])).rejects.toThrow(said);
  });

  test.each([
    ['no job before it', [[{ to: 'ada' }]], /bulk: the job comes before the list/],
    ['no list', [job], /bulk: undefined is not a list/],
    ['one piece of data', [job, { to: 'ada' }], /bulk: \{ to: 'ada' \} is not a list/],
    ['a text, which is none of letters', [job, 'ada'], /bulk: 'ada' is not a list/],
    ['a set', [job, new Set([1])], /bulk: .* is not a list/],
  ])('of a list of data with %s', async (_, values, message) => {
    const [first, second] = values as [never, never];
    await expect(queue.bulk(first, second)).rejects.toThrow(refusal(message, /bulk\(sendMail, \[/));
  });

  test.each([undefined, null, job])('of many with %o in place of a list', async (entries) => {
    await expect(queue.pushMany(entries as never)).rejects.toThrow(
      refusal(/pushMany: .* is not a list/, /pushMany\(\[\[/),
    );
  });

  test('of many of which one cannot be, told by its place', async () => {
    const fix = expect.stringMatching(/string/);
    const said = { code: 'E_PAYLOAD_INVALID', message: 'item 2: data.n is a BigInt', fix };
    const list = [{ n: 0 }, { n: 1 }, { n: 2n }, { n: 3n }];
    await expect(queue.bulk(job, list)).rejects.toMatchObject(said);
    await expect(queue.pushMany(list.map((data) => [job, data]))).rejects.toMatchObject(said);
    await expect(queue.pushMany([[job], ['no spaces']])).rejects.toMatchObject({
      code: 'E_JOB_NAME',
      message: expect.stringMatching(/^item 1: /),
    });
  });

  test('for later, by a variable that was not set', async () => {
    await expect(queue.later(undefined as never, job, 1)).rejects.toMatchObject({ code: 'E_DURATION' });
    await expect(queue.later(null as never, job, 1)).rejects.toMatchObject({ code: 'E_DURATION' });
  });

  test('none of them stored anything', async () => {
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
  });
});

test.each<[string, unknown, RegExp, RegExp]>([
  ['completed', () => {}, /events.on: there is no event completed/, /job:done/],
  ['toString', () => {}, /there is no event toString/, /job:done/],
  ['job:done', undefined, /undefined is not a function/, /events.on\('job:done', \(event\)/],
])('an event %s with %o', (name, listener, message, fix) => {
  expect(() => queue.events.on(name as never, listener as never)).toThrow(refusal(message, fix));
});

test('which names this process can run', () => {
  class Dismiss {
    fire(): void {}
    task1(): void {}
  }
  const own = createQueue({ connections: { m: memory() }, jobs: { Dismiss, job } });
  const names = ['job', 'Dismiss', 'Dismiss@task1', 'Dismiss@task9', 'Dismiss@constructor', 'other'];
  expect(names.filter((name) => own.hasJob(name))).toEqual(['job', 'Dismiss', 'Dismiss@task1']);
});

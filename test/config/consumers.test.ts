import { describe, expect, test } from 'vitest';
import { configOfGroup } from '../../config/worker-groups.js';
import { openQueue } from './built.js';
import { errorOf, makeProject } from './project.js';

const env = {};

const config = `
  import { memory } from 'drover/drivers/memory';
  export default {
    default: 'default',
    connections: { default: memory(), other: memory() },
    consumers: './app/queue/redis',
    supervisors: { fast: { consumers: './app/queue/redis/fast', workers: 8 } },
  };`;

const consumer = (queue: string, more = '') =>
  `export default class Any { queue = '${queue}'; ${more}
    async consume(data, { job }) { (globalThis.consumed ??= []).push([job.queue, job.connection, data]); } }`;

function seen(): unknown[] {
  const all = (globalThis as { consumed?: unknown[] }).consumed ?? [];
  return all.splice(0);
}

describe('consumers of a folder', () => {
  test('are found below it, and their queues are worked, each on its connection', async () => {
    const cwd = await makeProject({
      'drover.config.mjs': config,
      'app/queue/redis/a-mail.mjs': consumer('send-mail'),
      'app/queue/redis/fast/sms.mjs': consumer('2fa', "connection = 'default';"),
      'app/queue/redis/static.mjs':
        "export class S { static queue = 'static'; static connection = 'other'; consume(data) { (globalThis.consumed ??= []).push(data); } }",
      'app/queue/redis/helper.mjs': 'export const help = () => {};',
    });
    const queue = await openQueue({ cwd, env });
    expect(queue.jobNames).toEqual(['queue:2fa', 'send-mail', 'static']);
    await queue.push('send-mail', { to: 'Ada' });
    await queue.push('queue:2fa', 7);
    await queue.connection('other').push('static', 'there');
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(seen()).toEqual([
      ['send-mail', 'default', { to: 'Ada' }],
      ['2fa', 'default', 7],
    ]);
    await queue
      .connection('other')
      .worker({ queues: ['static'], stopWhenEmpty: true })
      .run();
    expect(seen()).toEqual(['there']);
    await queue.close();
  });

  test('of one queue on two connections are two', async () => {
    const cwd = await makeProject({
      'drover.config.mjs': config,
      'app/queue/redis/one.mjs': consumer('mail'),
      'app/queue/redis/two.mjs': consumer('mail', "connection = 'other';"),
    });
    const queue = await openQueue({ cwd, env });
    for (const name of ['default', 'other']) {
      await queue.connection(name).push('mail', name);
      await queue
        .connection(name)
        .worker({ queues: ['mail'], stopWhenEmpty: true })
        .run();
      expect(seen()).toEqual([['mail', name, name]]);
    }
    await queue.close();
  });

  test('of a group are those of its own folder, and nothing else', async () => {
    const cwd = await makeProject({
      'drover.config.mjs': config,
      'app/queue/redis/mail.mjs': consumer('mail'),
      'app/queue/redis/fast/sms.mjs': consumer('sms'),
    });
    const { default: loaded } = await import(`${cwd}/drover.config.mjs`);
    const queue = await openQueue({ config: configOfGroup(loaded, 'fast'), directory: cwd, env });
    expect(queue.jobNames).toEqual(['sms']);
    await queue.push('sms', 1);
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(seen()).toEqual([['sms', 'default', 1]]);
    await queue.close();
  });

  test('work the connection’s own queue too where the config has jobs', async () => {
    const cwd = await makeProject({
      'drover.config.mjs': config.replace('consumers:', "jobs: './jobs/*.mjs', consumers:"),
      'app/queue/redis/mail.mjs': consumer('mail'),
      'jobs/Hello.mjs': 'export class Hello { fire(job, data) { (globalThis.consumed ??= []).push(data); } }',
    });
    const queue = await openQueue({ cwd, env });
    await queue.push('Hello', 'job');
    await queue.push('mail', 'consumer');
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(seen()).toEqual([['mail', 'default', 'consumer'], 'job']);
    await queue.close();
  });

  test('onConsumeFailure may give a package up, or let it be tried again, on any connection', async () => {
    const cwd = await makeProject({
      'drover.config.mjs': config,
      'app/queue/redis/mail.mjs': consumer(
        'mail',
        `static tries = 1; static backoff = 0.01; onConsumeFailure(error, failed) {
          (globalThis.consumed ??= []).push([error.message, failed.attempts, failed.max_attempts, failed.queue, failed.data]);
          return { ...failed, ...failed.data };
        }`,
      ).replace('async consume(data, { job }) {', "consume() { throw new Error('no');"),
    });
    const queue = await openQueue({ cwd, env });
    await queue.push('mail', { max_attempts: 2 });
    await queue.push('mail', { max_attempts: 0, error: 'other words' });
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(seen()).toEqual([
      ['no', 0, 0, 'mail', { max_attempts: 2 }],
      ['no', 0, 0, 'mail', { max_attempts: 0, error: 'other words' }],
      // As often as it says, and not as often as the job or the worker would.
      ['no', 1, 0, 'mail', { max_attempts: 2 }],
      ['no', 2, 0, 'mail', { max_attempts: 2 }],
    ]);
    expect(await queue.failed.list()).toMatchObject([
      { message: 'no', reason: 'max-tries', attempts: 3 },
      { message: 'other words', reason: 'max-tries', attempts: 1 },
    ]);
    await queue.close();
  });

  test.each([
    ['a folder that is not there', {}, 'E_JOB_FILE', /no folder \.\/app\/queue\/redis/],
    [
      'two consumers of one queue',
      { 'app/queue/redis/a.mjs': consumer('q'), 'app/queue/redis/b.mjs': consumer('q') },
      'E_JOB_DUPLICATE',
      /queue q has two consumers: app\/queue\/redis\/a\.mjs and app\/queue\/redis\/b\.mjs/,
    ],
    [
      'a connection that there is not',
      { 'app/queue/redis/a.mjs': consumer('q', "connection = 'redis';") },
      'E_CONNECTION_UNKNOWN',
      /names a connection redis/,
    ],
    [
      'a consumer without a queue',
      { 'app/queue/redis/a.mjs': 'export class A { consume() {} }' },
      'E_JOB_FILE',
      /a\.mjs: its consumer names no queue/,
    ],
    [
      'a default export that is none',
      { 'app/queue/redis/a.mjs': 'export default class A { fire() {} }' },
      'E_JOB_FILE',
      /a\.mjs: its default export is no consumer/,
    ],
  ])('%s is refused', async (_, files, code, message) => {
    const cwd = await makeProject({ 'drover.config.mjs': config, ...(files as Record<string, string>) });
    expect(await errorOf(openQueue({ cwd, env }))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

import { describe, expect, test } from 'vitest';
import { defineJob, memory, openQueue } from './built.js';
import { errorOf, makeProject } from './project.js';

const env = {};
const hello = defineJob<{ name: string }>({ name: 'hello', handle() {} });

const config = `
  import { memory } from 'drover/drivers/memory';
  import { sync } from 'drover/drivers/sync';
  export default {
    default: 'main',
    connections: { main: memory(), other: memory(), sync: sync() },
    jobs: './jobs/*.{ts,mjs}',
  };`;

describe('a queue from the files of a project', () => {
  test('has their jobs, and runs them', async () => {
    const cwd = await makeProject({
      'drover.config.ts': config,
      'jobs/hello.ts': `import { defineJob } from 'drover';
        export const hello = defineJob<{ n: number }>({
          name: 'hello',
          handle({ data }): void { (globalThis as any).greeted = data.n; },
        });`,
      'jobs/dismiss.mjs': 'export class Dismiss { fire(job) { globalThis.dismissed = job.data; } }',
    });
    const queue = await openQueue({ cwd, env });
    expect(queue.jobNames).toEqual(['Dismiss', 'hello']);
    await queue.push('hello', { n: 7 });
    await queue.push('Dismiss', 'gone');
    expect(await queue.worker({ stopWhenEmpty: true }).run()).toBe('empty');
    expect(globalThis).toMatchObject({ greeted: 7, dismissed: 'gone' });
    await queue.close();
  });

  test('below config/ they are still those beside the folder', async () => {
    const cwd = await makeProject({
      'config/queue.ts': config,
      'jobs/a.mjs': 'export class A { fire() {} }',
    });
    expect((await openQueue({ cwd, env })).jobNames).toEqual(['A']);
  });

  test('without jobs leaves their files unread', async () => {
    const cwd = await makeProject({ 'drover.config.ts': config, 'jobs/a.mjs': 'throw new Error("read");' });
    const queue = await openQueue({ cwd, env, jobs: false });
    expect(await queue.size()).toEqual({ ready: 0, delayed: 0, reserved: 0 });
    expect((await errorOf(openQueue({ cwd, env }))).code).toBe('E_JOB_FILE');
  });

  test('works on the connection of the flag, else of the variable, else of the file', async () => {
    const cwd = await makeProject({ 'drover.config.ts': config });
    const named = async (options: object) => (await openQueue({ cwd, env, ...options })).connectionName;
    expect(await named({})).toBe('main');
    expect(await named({ env: { QUEUE_CONNECTION: 'sync' } })).toBe('sync');
    expect(await named({ env: { QUEUE_CONNECTION: 'sync' }, connection: 'other' })).toBe('other');
  });
});

describe('a queue from a config in hand', () => {
  test('mixes jobs and globs, which start at the directory', async () => {
    const directory = await makeProject({ 'work/a.mjs': 'export class A { fire() {} }' });
    class Named {
      static jobName = 'named';
      fire() {}
    }
    const jobs = [hello, Named, './work/*.mjs'];
    const queue = await openQueue({ config: { connections: { main: memory() }, jobs }, directory, env });
    expect(queue.jobNames).toEqual(['A', 'hello', 'named']);
  });

  test('takes jobs under names as they are', async () => {
    class Dismiss {
      fire() {}
    }
    const queue = await openQueue({
      config: { connections: { main: memory() }, jobs: { Gone: Dismiss } },
      env,
    });
    expect(queue.jobNames).toEqual(['Gone']);
  });

  test('is checked, and obeys the environment', async () => {
    const connections = { main: memory(), other: memory() };
    const error = await errorOf(openQueue({ config: { default: 'mian', connections }, env }));
    expect(error.message).toBe('the config: default: there is no connection "mian"; did you mean main?');
    const chosen = { config: { default: 'main', connections }, env: { QUEUE_CONNECTION: 'other' } };
    expect((await openQueue(chosen)).connectionName).toBe('other');
  });

  test('a job in a list and another in a file cannot share a name; the same one can be in both', async () => {
    const directory = await makeProject({
      'a.mjs': `import { defineJob } from 'drover';\nexport const hello = defineJob({ name: 'hello', handle() {} });`,
      'drover.config.mjs': `import { memory } from 'drover/drivers/memory';
        import { hello } from './a.mjs';
        export default { connections: { main: memory() }, jobs: [hello, './a.mjs'] };`,
    });
    expect((await openQueue({ cwd: directory, env })).jobNames).toEqual(['hello']);
    const jobs = [hello, './a.mjs'];
    const error = await errorOf(
      openQueue({ config: { connections: { main: memory() }, jobs }, directory, env }),
    );
    expect(error).toMatchObject({
      code: 'E_JOB_DUPLICATE',
      message: 'two jobs have the name hello: jobs[0] of the config and a.mjs (hello)',
    });
  });

  test('uses the logger given rather than its own', async () => {
    const lines: string[] = [];
    const write = (_fields: object, message: string) => void lines.push(message);
    const logger = { debug: write, info: write, warn: write, error: write };
    const failing = defineJob({
      name: 'failing',
      async handle({ job }) {
        await job.delete();
        throw new Error('after the end');
      },
    });
    const queue = await openQueue({
      config: { connections: { main: memory() }, jobs: [failing] },
      env,
      logger,
    });
    await queue.push(failing);
    await queue.worker({ stopWhenEmpty: true }).run();
    expect(lines.join()).toContain('the handler threw after the job was deleted');
  });
});

import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateConsumer, generateJob } from '../../config/generate.js';
import { openQueue } from './built.js';
import { addFiles, errorOf, makeProject } from './project.js';

const config = `
  import { memory } from 'drover/drivers/memory';
  export default { connections: { default: memory() }, jobs: './jobs/**/*.*', consumers: './app/queue/redis' };`;

describe('what is written', () => {
  test.each([
    ['ts', { 'tsconfig.json': '{}' }],
    ['js', {}],
  ])('is found and runs, in a project of %s', async (extension, files) => {
    const directory = await makeProject({
      'drover.config.mjs': config,
      ...(files as Record<string, string>),
    });
    const { default: own } = await import(`${directory}/drover.config.mjs`);
    expect(await generateJob({ name: 'mail/send-mail', directory, config: own })).toEqual({
      file: `jobs/mail/send-mail.${extension}`,
      name: 'mail.send-mail',
    });
    expect(await generateJob({ name: 'sms/send-mail', directory, config: own })).toMatchObject({
      name: 'sms.send-mail',
    });
    expect(await generateJob({ name: 'delete', directory, config: own })).toMatchObject({ name: 'delete' });
    expect(await generateConsumer({ name: 'fast/my-mail', directory, config: own })).toEqual({
      file: `app/queue/redis/fast/my-mail.${extension}`,
      name: 'my-mail',
    });
    const queue = await openQueue({ cwd: directory, env: {} });
    expect(queue.jobNames).toEqual(['delete', 'mail.send-mail', 'my-mail', 'sms.send-mail']);
    await queue.push('mail.send-mail', { id: 1 });
    await queue.push('my-mail', { id: 1 });
    const worker = queue.worker({ stopWhenEmpty: true });
    const ended: unknown[] = [];
    queue.events.on('job:done', ({ name }) => ended.push(name));
    expect(await worker.run()).toBe('empty');
    expect(ended).toEqual(['my-mail', 'mail.send-mail']);
    await queue.close();
  });

  test('goes where the config has its files, else where they usually are', async () => {
    const directory = await makeProject();
    const job = (jobs: string) => generateJob({ name: 'a', directory, config: { jobs } });
    expect((await job('src/work/*.mjs')).file).toBe('src/work/a.js');
    expect((await generateJob({ name: 'b', directory, config: {} })).file).toBe('jobs/b.js');
    const listed = { consumers: ['queues/one', 'queues/two'] };
    expect((await generateConsumer({ name: 'c', directory, config: listed })).file).toBe('queues/one/c.js');
    const common = await makeProject({ 'package.json': '{}' });
    expect((await generateConsumer({ name: 'c', directory: common, config: {} })).file).toBe(
      'app/queue/redis/c.mjs',
    );
  });
});

describe('what is refused', () => {
  test('a file that is there, in whatever language, stays as it is', async () => {
    const directory = await makeProject({ 'jobs/mail.mts': 'mine' });
    expect(await errorOf(generateJob({ name: 'mail', directory, config: {} }))).toMatchObject({
      code: 'E_USAGE',
      message: 'jobs/mail.mts is there already',
    });
    expect(await readFile(join(directory, 'jobs/mail.mts'), 'utf8')).toBe('mine');
  });

  test.each([
    '',
    '..',
    '../up',
    '/etc/x',
    'a/../../b',
    'a//b',
    '.hidden',
    'a.b',
    'c:\\x',
    '1st',
    'naïve',
    'a/',
  ])('the name %j', async (name) => {
    const directory = await makeProject();
    for (const generate of [generateJob, generateConsumer]) {
      expect(await errorOf(generate({ name, directory, config: {} }))).toMatchObject({ code: 'E_USAGE' });
    }
  });

  test('a symlink that leads out of the folder', async () => {
    const directory = await makeProject();
    const elsewhere = await makeProject();
    await addFiles(directory, { 'jobs/a.mjs': '' });
    await symlink(elsewhere, join(directory, 'jobs', 'out'));
    expect(await errorOf(generateJob({ name: 'out/b', directory, config: {} }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('outside'),
    });
  });
});

import { mkdir, readdir, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isQueueError } from '../../src/index.js';
import { loadJobs } from './built.js';
import { addFiles, errorOf, makeProject } from './project.js';

/** A job file in JavaScript. */
const job = (name: string, as = 'job') =>
  `import { defineJob } from 'drover';\nexport const ${as} = defineJob({ name: '${name}', handle() {} });\n`;

async function namesIn(
  files: Record<string, string>,
  globs: string | string[] = './jobs/**',
): Promise<string[]> {
  return Object.keys(await loadJobs(globs, await makeProject(files)));
}

describe('jobs are', () => {
  test('every definition and class that a file exports, under its wire name', async () => {
    const directory = await makeProject({
      'jobs/mail.ts': `
        import { defineJob, type Job } from 'drover';
        interface Mail { readonly to: string }
        export const send = defineJob<Mail>({ name: 'mail.send', handle: ({ data }) => data.to });
        export const check = defineJob({ name: 'mail.check', handle() {} });
        export class Dismiss { fire(job: Job, data: unknown): void {} }
        export class Renamed { static jobName = 'app\\\\job\\\\Old'; fire() {} }
        export class Tasks { static tasks = ['one']; one() {} }
        export class Mailer { deliver() {} }
        export const address = 'a@b.c';`,
      'jobs/deep/report.mjs': 'export default class Minified { fire() {} }',
    });
    const jobs = await loadJobs('./jobs/**/*.{ts,mjs}', directory);
    expect(Object.keys(jobs).sort()).toEqual(
      ['mail.send', 'mail.check', 'Dismiss', 'app\\job\\Old', 'Tasks', 'report'].sort(),
    );
    expect(jobs.Dismiss?.name).toBe('Dismiss');
  });

  test('counted once, however often they are exported', async () => {
    expect(
      await namesIn({
        'jobs/hello.ts': `${job('hello', 'hello')}export { hello as again, hello as default };`,
        'jobs/index.ts': `export * from './hello.js';\nexport { Dismiss as Other } from './dismiss.js';`,
        'jobs/dismiss.ts': 'export class Dismiss { fire() {} }\nexport default Dismiss;',
      }),
    ).toEqual(['Dismiss', 'hello']);
  });

  test('none in an empty folder, in no folder, and in modules that only help', async () => {
    expect(await namesIn({})).toEqual([]);
    expect(
      await namesIn({
        'jobs/helper.ts': 'export function help() {}',
        'jobs/types.d.ts': 'this is not even TypeScript',
        'jobs/types.d.mts': 'nor is this',
        'jobs/readme.md': '# jobs',
        'jobs/data.json': '{',
        'jobs/node_modules/x/index.js': 'throw new Error()',
        'jobs/common.cjs': 'exports.help = () => {};',
        'jobs/empty.cjs': '',
      }),
    ).toEqual([]);
  });

  test('found in CommonJS too', async () => {
    const common = (exported: string) =>
      `const { defineJob } = require('drover');\nconst job = (name) => defineJob({ name, handle() {} });\n${exported}`;
    expect(
      await namesIn({
        'jobs/a.cjs': common("module.exports = job('whole');"),
        'jobs/b.cjs': common("exports.part = job('part');"),
        'jobs/c.cjs': common(
          "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = job('compiled');",
        ),
      }),
    ).toEqual(['whole', 'part', 'compiled']);
  });

  test('kept when they are called __proto__', async () => {
    const names = await namesIn({ 'jobs/odd.mjs': job('__proto__') });
    expect(names).toEqual(['__proto__']);
  });

  test('taken from several globs, without those that a glob with ! takes away', async () => {
    const files = {
      'jobs/a.mjs': job('a'),
      'jobs/a.test.mjs': 'throw new Error("only for tests")',
      'more/b.mjs': job('b'),
    };
    expect(await namesIn(files, ['jobs/*.mjs', './more/b.mjs', '!**/*.test.*'])).toEqual(['a', 'b']);
  });
});

test('one module is one instance, whichever file imports it', async () => {
  const directory = await makeProject({
    'jobs/a.ts': `import { count } from '../lib/count.js';\nimport { plain } from '../lib/plain.mjs';\n${job('a')}export const seen = [count, plain];`,
    'jobs/b.ts': `import { count } from '../lib/count.js';\nimport { plain } from '../lib/plain.mjs';\n${job('b')}export const seen = [count, plain];`,
    'jobs/c.mjs': `import { plain } from '../lib/plain.mjs';\n${job('c')}`,
    'lib/count.ts':
      'globalThis.counted = (globalThis.counted ?? 0) + 1;\nexport const count: number = globalThis.counted;',
    'lib/plain.mjs':
      'globalThis.plain = (globalThis.plain ?? 0) + 1;\nexport const plain = globalThis.plain;',
  });
  await loadJobs('jobs/*', directory);
  expect(globalThis).toMatchObject({ counted: 1, plain: 1 });
});

test('compiled TypeScript is kept in the project, never in the shared temporary folder', async () => {
  const directory = await makeProject({ 'jobs/only-here-8472.ts': job('a') });
  await loadJobs('jobs/*', directory);
  expect((await stat(join(directory, 'node_modules/.cache/drover'))).isDirectory()).toBe(true);
  const shared = await readdir(join(tmpdir(), 'jiti')).catch(() => []);
  expect(shared.filter((name) => name.includes('8472'))).toEqual([]);
});

describe('files that cannot be used', () => {
  test('are all told at once, each with its line', async () => {
    const directory = await makeProject({
      'jobs/1-throws.ts': '\nthrow new RangeError("too far\\naway");\nexport {};',
      'jobs/2-throws.mjs': '\n\nthrow new Error("native");',
      'jobs/3-syntax.ts': 'export const a = ;',
      'jobs/4-import.mjs': "import 'absent-package';",
      'jobs/5-setting.ts': `import { defineJob } from 'drover';\nexport const a = defineJob({ name: 'a', timeout: 'soon' as any, handle() {} });`,
      'jobs/6-function.mjs': 'export default async function () {}',
      'jobs/7-object.mjs': "export default { name: 'x', handle() {} };",
      'jobs/8-good.mjs': job('good'),
      'jobs/9th class.mjs': 'export default class { fire() {} }',
    });
    const error = await errorOf(loadJobs('./jobs/*', directory));
    expect(isQueueError(error, 'E_JOB_FILE')).toBe(true);
    expect(error.message.split('\n').map((line) => line.trim())).toEqual([
      'could not load 8 job files',
      'jobs/1-throws.ts: RangeError: too far (jobs/1-throws.ts:2)',
      'jobs/2-throws.mjs: native (jobs/2-throws.mjs:3)',
      'jobs/3-syntax.ts: ParseError: Unexpected token (jobs/3-syntax.ts:1)',
      expect.stringMatching(
        /^jobs\/4-import\.mjs: Cannot find package 'absent-package'.*npm install absent-package\.$/,
      ),
      expect.stringMatching(
        /^jobs\/5-setting\.ts: job a: timeout: 'soon' is not a time span \(jobs\/5-setting\.ts:2\)\. Write/,
      ),
      'jobs/6-function.mjs: its default export is no job. ' +
        'Wrap it in defineJob({ name, handle }), or give its class a fire(job, data) method.',
      expect.stringMatching(/^jobs\/7-object\.mjs: its default export is no job\./),
      expect.stringMatching(/^jobs\/9th class\.mjs: '9th class' cannot be the name of a job\./),
    ]);
  });

  test('one alone is told with its remedy and its cause', async () => {
    const directory = await makeProject({ 'jobs/a.mjs': 'throw new Error("first\\nsecond");' });
    const error = await errorOf(loadJobs('./jobs/*', directory));
    expect(error.message).toBe('could not load jobs/a.mjs: first (jobs/a.mjs:1)');
    expect((error.cause as Error).message).toBe('first\nsecond');
  });

  test('two jobs of one name: both places are told, for all such names', async () => {
    const directory = await makeProject({
      'jobs/a.mjs': job('same', 'one'),
      'jobs/b.ts': `${job('same', 'two')}export const three = defineJob({ name: 'other', handle() {} });`,
      'jobs/c.mjs': 'export class other { fire() {} }',
    });
    const error = await errorOf(loadJobs('./jobs/*', directory));
    expect(isQueueError(error, 'E_JOB_DUPLICATE')).toBe(true);
    expect(error.message.split('\n')).toEqual([
      'two jobs have the name same: jobs/a.mjs (one) and jobs/b.ts (two)',
      'two jobs have the name other: jobs/b.ts (three) and jobs/c.mjs (other)',
    ]);
  });
});

test('a duplicate that looks like build output is called that', async () => {
  const directory = await makeProject({
    'jobs/hello.ts': job('hello'),
    'jobs/hello.js': job('hello'),
  });
  const error = await errorOf(loadJobs('./jobs/*', directory));
  expect(error).toMatchObject({ code: 'E_JOB_DUPLICATE', fix: expect.stringContaining('build output') });
  expect(error.message).toMatch(/^two jobs have the name \w+: .*; jobs\/hello\.js looks like build output$/);
});

describe('symlinks', () => {
  const evil = 'globalThis.evil = true;\nexport const x = 1;';

  async function withOutside(): Promise<{ directory: string; outside: string }> {
    const outside = await makeProject({ 'evil.mjs': evil, 'good.mjs': job('outside') });
    return { directory: await makeProject({ 'jobs/a.mjs': job('a') }), outside };
  }

  test('that lead out of the project are refused, unread', async () => {
    const { directory, outside } = await withOutside();
    await symlink(join(outside, 'evil.mjs'), join(directory, 'jobs/linked.mjs'));
    await symlink(outside, join(directory, 'jobs/folder'));
    const error = await errorOf(loadJobs('./jobs/**/*.mjs', directory));
    expect(error.code).toBe('E_JOB_FILE');
    expect(error.message).toContain(`leads to ${join(outside, 'evil.mjs')}, outside ${directory}`);
    expect(error.message).toContain(`leads to ${join(outside, 'good.mjs')}, outside ${directory}`);
    expect(globalThis).not.toHaveProperty('evil');
  });

  test('also when the job folder itself is one, and also behind a glob that starts elsewhere', async () => {
    const { directory, outside } = await withOutside();
    await symlink(outside, join(directory, 'linked'));
    expect((await errorOf(loadJobs('./linked/good.mjs', directory))).message).toContain('outside');
    const beside = await makeProject();
    await symlink(join(directory, 'jobs/a.mjs'), join(outside, 'back.mjs'));
    expect((await errorOf(loadJobs(`${outside}/*.mjs`, beside))).message).toContain(
      `leads to ${join(directory, 'jobs/a.mjs')}, outside ${outside}`,
    );
  });

  test('within the project are fine, and so is a project that is reached through one', async () => {
    const directory = await makeProject({ 'lib/a.mjs': job('a') });
    await mkdir(join(directory, 'jobs'));
    await symlink('../lib/a.mjs', join(directory, 'jobs/a.mjs'));
    await symlink('../lib/a.mjs', join(directory, 'jobs/b.mjs'));
    const elsewhere = await makeProject();
    await symlink(directory, join(elsewhere, 'current'));
    expect(Object.keys(await loadJobs('./jobs/*', join(elsewhere, 'current')))).toEqual(['a']);
  });

  test('that lead nowhere are no files', async () => {
    const directory = await makeProject({ 'jobs/a.mjs': job('a') });
    await symlink('nowhere.mjs', join(directory, 'jobs/b.mjs'));
    expect(Object.keys(await loadJobs('./jobs/*', directory))).toEqual(['a']);
  });
});

test('a glob may name a folder outside of the project', async () => {
  const shared = await makeProject();
  await addFiles(shared, {
    'app/.keep': '',
    'packages/jobs/a.mjs': job('a'),
    'packages/jobs/b/c.ts': job('c'),
  });
  expect(Object.keys(await loadJobs('../packages/{jobs,more}/**/*.{mjs,ts}', join(shared, 'app')))).toEqual([
    'a',
    'c',
  ]);
});

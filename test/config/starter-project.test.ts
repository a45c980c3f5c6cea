import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkWorkerOptions } from '../../src/index.js';
import { loadConfig, openQueue, writeStarterProject } from './built.js';
import { errorOf, makeProject, runIn } from './project.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const env = {};
const esModules = { 'package.json': '{ "type": "module" }' };

describe('which files are written', () => {
  test.each([
    ['JavaScript', esModules, 'js'],
    ['JavaScript in a package of CommonJS', { 'package.json': '{}' }, 'mjs'],
    ['TypeScript, by its tsconfig.json', { ...esModules, 'tsconfig.json': '{}' }, 'ts'],
    ['TypeScript in a package of CommonJS', { 'package.json': '{}', 'tsconfig.json': '{}' }, 'mts'],
    [
      'TypeScript, by its dependencies',
      { 'package.json': '{ "devDependencies": { "typescript": "6" } }' },
      'mts',
    ],
  ])('%s', async (_name, files, extension) => {
    const directory = await makeProject(files);
    const written = await writeStarterProject(directory);
    expect(written).toEqual([`drover.config.${extension}`, `jobs/hello.${extension}`]);
    const loaded = await loadConfig({ cwd: directory, env });
    expect(loaded.file).toBe(join(directory, `drover.config.${extension}`));
    expect((await openQueue({ cwd: directory, env })).jobNames).toEqual(['hello']);
    expect(loaded.config.jobs).toBe(`./jobs/**/*.{${extension.endsWith('ts') ? 'ts,mts' : 'js,mjs'}}`);
  });

  test('the language can be chosen, and a folder takes the package.json above', async () => {
    const directory = await makeProject({ ...esModules, 'tsconfig.json': '{}', 'app/readme.md': '' });
    const written = await writeStarterProject(join(directory, 'app'), { typescript: false });
    expect(written).toEqual(['drover.config.js', 'jobs/hello.js']);
    expect((await stat(join(directory, 'app/jobs/hello.js'))).isFile()).toBe(true);
  });

  test.each(['jobs/hello.js', 'drover.config.js', 'drover.config.json', 'config/queue.ts'])(
    'none, where %s is there already; all, with force',
    async (present) => {
      const directory = await makeProject({ ...esModules, [present]: '// mine' });
      const error = await errorOf(writeStarterProject(directory));
      expect(error).toMatchObject({
        code: 'E_USAGE',
        message: `${present} is there already`,
        fix: 'Nothing was written; --force overwrites.',
      });
      expect(await readFile(join(directory, present), 'utf8')).toBe('// mine');
      await expect(
        stat(join(directory, present === 'jobs/hello.js' ? 'drover.config.js' : 'jobs')),
      ).rejects.toThrow('ENOENT');
      expect(await writeStarterProject(directory, { force: true })).toEqual([
        'drover.config.js',
        'jobs/hello.js',
      ]);
      expect(await readFile(join(directory, 'jobs/hello.js'), 'utf8')).toContain('defineJob');
    },
  );

  test.each([
    ['drover.config.ts', false, 'drover.config.js'],
    ['drover.config.mts', false, 'drover.config.js'],
    ['jobs/hello.mts', true, 'drover.config.ts'],
  ])('none, even with force, where %s would still be read', async (present, typescript, unwritten) => {
    const directory = await makeProject({ ...esModules, [present]: '// mine' });
    const error = await errorOf(writeStarterProject(directory, { typescript, force: true }));
    expect(error).toMatchObject({
      code: 'E_USAGE',
      message: `${present} is there and would be read beside or before what is written`,
      fix: `Nothing was written. Remove ${present} first.`,
    });
    await expect(stat(join(directory, unwritten))).rejects.toThrow('ENOENT');
  });

  test('build output and an older config of the other language are left unread', async () => {
    const directory = await makeProject(esModules);
    await writeStarterProject(directory, { typescript: false });
    await writeStarterProject(directory, { typescript: true, force: true });
    const { file } = await loadConfig({ cwd: directory, env });
    expect(file).toBe(join(directory, 'drover.config.ts'));
    expect((await openQueue({ cwd: directory, env })).jobNames).toEqual(['hello']);
  });

  test('a place that cannot be written to is a plain error', async () => {
    const directory = await makeProject({ ...esModules, jobs: 'a file' });
    const error = await errorOf(writeStarterProject(directory));
    expect(error.code).toBe('E_USAGE');
    expect(error.message).toBe('could not write jobs/hello.js: EEXIST');
    await expect(stat(join(directory, 'drover.config.js'))).rejects.toThrow('ENOENT');
  });

  test('a package.json that cannot be read is named', async () => {
    const directory = await makeProject({ 'package.json': '{' });
    const error = await errorOf(writeStarterProject(directory));
    expect(error).toMatchObject({
      code: 'E_USAGE',
      message: `${join(directory, 'package.json')} is not JSON`,
    });
  });
});

describe('what is written', () => {
  test('runs: pushed, worked, and failing on request', async () => {
    const directory = await makeProject(esModules);
    await writeStarterProject(directory);
    const code = `import { openQueue } from 'drover/config';
      const queue = await openQueue();
      await queue.push('hello', { name: 'Ada' });
      await queue.push('hello', { name: 'Bob', fail: true });
      await queue.worker({ stopWhenEmpty: true, tries: 1 }).run();
      for (const { message } of await queue.failed.list()) console.log(message);
      await queue.close();`;
    expect(await runIn(directory, code)).toBe('Hello, Ada!\nBob asked for a failure\n');
    expect((await stat(join(directory, 'drover.sqlite'))).isFile()).toBe(true);
  });

  test.each([
    ['of ES modules', esModules],
    ['of CommonJS', { 'package.json': '{}' }],
  ])('passes the strictest type check in a package %s', async (_name, packageJson) => {
    const directory = await makeProject({
      ...packageJson,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
          noEmit: true,
          skipLibCheck: true,
          types: ['node'],
          typeRoots: [join(repository, 'node_modules/@types')],
        },
      }),
    });
    await writeStarterProject(directory);
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', directory]).catch((error) => error);
    expect(stdout).toBe('');
  });

  test('imports nothing but what the package exports, and is no TypeScript but for its types', async () => {
    const directory = await makeProject(esModules);
    const files = await writeStarterProject(directory);
    const { exports } = require('drover/package.json') as { exports: object };
    const specifiers = [];
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8');
      for (const [, specifier = ''] of text.matchAll(/from '([^']+)'/g)) specifiers.push(specifier);
    }
    expect(specifiers.sort()).toEqual([
      'drover',
      'drover/config',
      'drover/drivers/database',
      'drover/drivers/memory',
      'drover/drivers/redis',
      'drover/drivers/sync',
    ]);
    for (const specifier of specifiers) {
      expect(Object.keys(exports)).toContain(specifier.replace(/^drover/, '.'));
    }
  });

  test('the settings that the config shows as comments are the defaults', async () => {
    const text = await readFile(join(repository, 'config/queue.ts'), 'utf8');
    const [, commented = ''] = /\/\/ worker: (\{.*?\/\/ \})/s.exec(text) ?? [];
    const shown = new Function(`return ${commented.replaceAll(/^ *\/\/ ?/gm, '')}`)();
    expect(Object.keys(shown).length).toBeGreaterThan(8);
    const connection = { name: 'any', queue: 'default', leaseMs: 90_000 };
    expect(checkWorkerOptions(shown, connection)).toEqual(checkWorkerOptions({}, connection));
  });

  test('its text is in the published package', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: repository,
    });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    expect(files.map((file) => file.path)).toContain('config/queue.ts');
  });
});

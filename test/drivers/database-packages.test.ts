import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ServerSandbox } from '../support/server-sandbox.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sandbox = mkdtempSync(join(tmpdir(), 'drover-packages-'));
const sandboxes = { mariadb: new ServerSandbox('mariadb'), postgres: new ServerSandbox('postgres') };
afterAll(async () => {
  await Promise.all(Object.values(sandboxes).map((one) => one.clean()));
  rmSync(sandbox, { recursive: true, force: true });
});

/** drover as built, in a project that has all of our packages but those left out. */
function install(name: string, leftOut: readonly string[]): string {
  const project = join(sandbox, name);
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  for (const part of ['loader', 'chunks', 'src', 'drivers', 'migrations']) {
    cpSync(join(root, 'dist', part), join(project, 'dist', part), { recursive: true });
  }
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (leftOut.includes(entry) || entry.startsWith('.')) continue;
    symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
  }
  return project;
}

/** What the first push ends with in such a project: the error as JSON, or "stored", and all that was printed. */
function firstPush(project: string, url = 'sqlite::memory:'): string {
  const script = join(project, 'push.mjs');
  writeFileSync(
    script,
    `import { database } from './dist/drivers/database/index.js';
     const logger = { debug() {}, info() {}, warn() {}, error() {} };
     const driver = database('${url}');
     const connector = driver.connect({ connection: 'db', clock: Date, logger, runInline: async () => {} });
     try {
       console.log((await connector.push('mail', [{ id: 'a', body: '{}' }]))[0]);
     } catch ({ code, message, fix, transient }) {
       console.log(JSON.stringify({ code, message, fix, transient }));
     }
     await connector.close();`,
  );
  // Links are not followed, so that packages see what is installed in the project.
  const flags = ['--preserve-symlinks', '--preserve-symlinks-main'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, script], { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
}

describe('the first verb', () => {
  test('works with both packages', () => {
    expect(firstPush(install('complete', []))).toBe('stored');
  });

  test.each(['knex', 'better-sqlite3'])(
    'without %s says how to install it, and prints nothing',
    (missing) => {
      const printed = firstPush(install(`without-${missing}`, [missing]));
      expect(JSON.parse(printed)).toEqual({
        code: 'E_DRIVER_MISSING',
        message: `the database driver needs the package ${missing}, which is not installed`,
        fix: 'Run: npm install knex@3 better-sqlite3@12',
        transient: false,
      });
    },
  );

  test.each([
    ['sqlite', 'sqlite::memory:', 'stored'],
    ['mysql', 'mysql://127.0.0.1:1/jobs', 'E_STORE_UNAVAILABLE'],
    ['postgres', 'postgres://127.0.0.1:1/jobs', 'E_STORE_UNAVAILABLE'],
  ])("on %s loads no other database's dialect, and no tables of PHP", (kind, url, outcome) => {
    const project = install(`${kind}-alone`, []);
    const others = ['sqlite', 'mysql', 'postgres', 'apply-profile'].filter((name) => name !== kind);
    for (const name of others) rmSync(join(project, 'dist/chunks', `${name}.cjs`));
    expect(firstPush(project, url)).toContain(outcome);
  });

  test('needs no knex on a SQLite file whose tables are there', () => {
    const url = `sqlite:${join(sandbox, 'there.sqlite')}`;
    expect(firstPush(install('with-knex', []), url)).toBe('stored');
    const project = install('knex-gone', ['knex']);
    expect(firstPush(project, url)).toBe('already-there');
    expect(firstPush(project, `${url}.other`)).toContain('E_DRIVER_MISSING');
  });

  test.each([
    ['mysql2', 'mysql://db/jobs', 'npm install knex@3 mysql2@3'],
    ['pg', 'postgres://db/jobs', 'npm install knex@3 pg@8'],
  ])('of a server without %s says the same', (missing, url, command) => {
    const project = install(`without-${missing}`, [missing]);
    expect(JSON.parse(firstPush(project, url))).toMatchObject({
      code: 'E_DRIVER_MISSING',
      message: `the database driver needs the package ${missing}, which is not installed`,
      fix: `Run: ${command}`,
    });
  });

  test.each([
    ['mariadb', 'npm install knex@3 mysql2@3'],
    ['postgres', 'npm install knex@3 pg@8'],
  ] as const)('on %s needs no knex where the tables are there', async (kind, command) => {
    const { url } = await sandboxes[kind].make();
    const withoutKnex = install(`without-knex-${kind}`, ['knex']);
    expect(JSON.parse(firstPush(withoutKnex, url))).toMatchObject({
      code: 'E_DRIVER_MISSING',
      message: 'the database driver needs the package knex, which is not installed',
      fix: `Run: ${command}`,
    });
    expect(firstPush(install(`with-knex-${kind}`, []), url)).toBe('stored');
    expect(firstPush(withoutKnex, url)).toBe('already-there');
  });

  test.each([
    ['was not built', undefined],
    ['was built for something else', 'no machine code'],
  ])('with a better-sqlite3 whose native part %s says how to build it', (name, binary) => {
    const project = install(name.replaceAll(' ', '-'), ['better-sqlite3']);
    const copy = join(project, 'node_modules', 'better-sqlite3');
    const original = join(root, 'node_modules', 'better-sqlite3');
    mkdirSync(copy);
    for (const part of ['package.json', 'lib'])
      cpSync(join(original, part), join(copy, part), { recursive: true });
    if (binary !== undefined) {
      mkdirSync(join(copy, 'build', 'Release'), { recursive: true });
      writeFileSync(join(copy, 'build', 'Release', 'better_sqlite3.node'), binary);
    }
    const error = JSON.parse(firstPush(project));
    expect(error).toMatchObject({ code: 'E_DRIVER_MISSING', transient: false });
    expect(error.fix).toContain('npm rebuild better-sqlite3');
    expect(error.fix).toContain('npm approve-scripts better-sqlite3');
    expect(error.fix).not.toContain('\n');
  });
});

describe('the types of the public entries', () => {
  /** Every declaration file that a consumer's compiler reads from this one on. */
  function reachable(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, specifier = ''] of text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      if (!specifier.startsWith('.')) seen.add(specifier);
      else reachable(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')), seen);
    }
    return seen;
  }

  test.each(['drivers/database', 'drivers/redis', 'migrations'])(
    '%s need no package that may be missing',
    (entry) => {
      const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      const files = [...reachable(join(root, 'dist', entry, 'index.d.ts'))];
      expect(files.length).toBeGreaterThan(2);
      const packages = files.filter((file) => !file.endsWith('.d.ts'));
      expect(packages.filter((name) => !(name in dependencies))).toEqual([]);
    },
  );
});

import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPacked, type PackedApp } from './packed-app.js';
import { root } from './root.js';

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string; readonly module: string }>>;
  readonly bin: { readonly drover: string };
}

const clients = ['knex', 'better-sqlite3', 'ioredis', 'mysql2', 'pg', 'prom-client', '@opentelemetry/api'];

/** A preload that ends the process when anything asks for a client, whether or not it is installed. */
const refuseClients = `
import Module, { register } from 'node:module';
const clients = ${JSON.stringify(clients)};
const refuse = (name) => { process.stderr.write('asked for ' + name); process.exit(9); };
const hooks = \`
  export async function resolve(name, context, next) {
    if (\${JSON.stringify(clients)}.includes(name)) { process._rawDebug('asked for ' + name); process.exit(9); }
    return next(name, context);
  }\`;
register('data:text/javascript,' + encodeURIComponent(hooks));
const load = Module._load;
Module._load = (name, ...rest) => (clients.includes(name) ? refuse(name) : load(name, ...rest));
`;

const consumer = `
import { createQueue, defineJob, QueueError, type Connector, type FailedJob, type Worker } from 'drover';
import { defineConfig, loadConfig } from 'drover/config';
import { database } from 'drover/drivers/database';
import { memory } from 'drover/drivers/memory';
import { redis } from 'drover/drivers/redis';
import { sync } from 'drover/drivers/sync';
import { topthink } from 'drover/drivers/topthink';
import { webman } from 'drover/drivers/webman';
import { migrations } from 'drover/migrations';
import * as testing from 'drover/testing';

const mail = defineJob({ name: 'mail', handle: (context: { data: { to: string } }) => void context.data.to });
const config = defineConfig({
  default: 'database',
  connections: { database: database('sqlite:./drover.sqlite'), memory: memory(), redis: redis('redis://127.0.0.1'), sync: sync(), topthink: topthink({ token: 't', projectId: 'p' }), webman: webman('redis://127.0.0.1') },
});
export const queue = createQueue({ ...config, jobs: [mail] });
export const worker: Worker = queue.worker();
export const pushed: Promise<string | string[]> = queue.push(mail, { to: 'Ada' });
export const all = [loadConfig, migrations, testing, QueueError];
export type All = [Connector, FailedJob];
// @ts-expect-error a job's data is checked
void queue.push(mail, { to: 1 });
`;

const strictest = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
  },
  files: ['consumer.ts'],
};

describe('the packed package', () => {
  let app: PackedApp;
  let subpaths: string[];
  beforeAll(async () => {
    app = await installPacked();
    const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { exports: object };
    subpaths = Object.keys(exports).map((key) => key.replace(/^\./, 'drover'));
    await app.write('refuse-clients.mjs', refuseClients);
  }, 180_000);
  afterAll(() => app?.remove());

  const evaluate = (code: string, ...flags: string[]) =>
    app.run(process.execPath, ...flags, '--input-type=module', '--eval', code);

  it('holds what runs, its types and its documents, and nothing else', () => {
    const { files, size, unpackedSize } = app.packed;
    const paths = files.map(({ path }) => path);
    process.stdout.write(
      `drover's tarball: ${files.length} files, ${size} bytes, ${unpackedSize} unpacked\n`,
    );
    const documents =
      /^(package\.json|(bench\/)?README\.md|CHANGELOG\.md|LICENSE|docs\/.+\.md|docs\/performance\.svg)$/;
    const code =
      /^dist\/(src|drivers|migrations|config|cli|test\/conformance)\/.+\.([cm]?js|d\.ts)$|^dist\/(loader|chunks)\/[\w-]+\.cjs$/;
    // What `drover init` writes.
    const template = 'config/queue.ts';
    const isExpected = (path: string) => documents.test(path) || code.test(path) || path === template;
    expect(paths.filter((path) => !isExpected(path))).toEqual([]);
    expect(paths).toContain('dist/cli/bin.cjs');
    expect(paths).toContain('dist/test/conformance/index.d.ts');
    const codeSize = files.reduce((sum, { path, size }) => sum + (code.test(path) ? size : 0), 0);
    process.stdout.write(`its code: ${codeSize} bytes unpacked\n`);
    expect(codeSize).toBeLessThan(1_500_000);
    expect(size).toBeLessThan(600_000); // with the documents that the README and others link to
  });

  it('holds no file whose source is gone, and each with its types', () => {
    const built = app.packed.files.map(({ path }) => path).filter((path) => path.startsWith('dist/'));
    const ofModules = built.filter((path) => !path.startsWith('dist/chunks/'));
    const sourceOf = (path: string) => path.replace('dist/', '').replace(/(\.d\.ts|\.[cm]?js)$/, '.ts');
    expect(ofModules.filter((path) => !existsSync(join(root, sourceOf(path))))).toEqual([]);
    const scripts = ofModules.filter((path) => path.endsWith('.js'));
    const typesOf = (path: string) => path.replace(/\.js$/, '.d.ts');
    expect(scripts.filter((path) => !built.includes(typesOf(path)))).toEqual([]);
  });

  it('holds as code its entry points and what they import, each module in one file', async () => {
    const scripts = app.packed.files.map(({ path }) => path).filter((path) => /\.[cm]?js$/.test(path));
    const text = new Map<string, string>();
    for (const path of scripts)
      text.set(path, await readFile(join(app.folder, 'node_modules/drover', path), 'utf8'));
    const { exports, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
    const entries = Object.values(exports).flatMap((one) =>
      typeof one === 'string' ? [] : [one.default, one.module],
    );
    const others = ['dist/cli/run-supervisor.cjs', 'dist/cli/supervise/watchdog.cjs', 'dist/loader/load.cjs'];
    const started = [bin.drover, ...others].map((path) => normalize(path));
    const reached = new Set([...entries.map((path) => normalize(path)), ...started]);
    for (const path of reached) {
      const code = text.get(path) ?? '';
      for (const [, file = ''] of code.matchAll(
        /(?:from |require\(|createRequire\(import\.meta\.url\)\()"(\.[^"]+)"/g,
      ))
        reached.add(join(dirname(path), file));
      for (const [, name = ''] of code.matchAll(/ chunk\("([^"]+)"\)/g)) reached.add(`dist/cli/${name}.cjs`);
    }
    expect([...reached].sort()).toEqual(scripts.sort());

    for (const path of started) text.delete(path); // these have copies, and import nothing of ours as they start
    const modules = [...text.values()].flatMap((code) => code.match(/(?<=^\/\/ )[\w/-]+\.ts$/gm) ?? []);
    expect(modules.length).toBeGreaterThan(250);
    expect(modules.filter((name, index) => modules.indexOf(name) !== index)).toEqual([]);
  });

  it('holds code of one byte a character', async () => {
    const scripts = app.packed.files.map(({ path }) => path).filter((path) => /\.[cm]?js$/.test(path));
    for (const path of scripts) {
      const bytes = await readFile(join(app.folder, 'node_modules/drover', path));
      expect(bytes.every((byte) => byte < 0x80) ? '' : path).toBe('');
    }
  });

  it('points to no source map that is not there', async () => {
    for (const { path } of app.packed.files.filter((file) => /\.([cm]?js|d\.ts)$/.test(file.path))) {
      const text = await readFile(join(app.folder, 'node_modules/drover', path), 'utf8');
      expect(text, path).not.toContain('sourceMappingURL');
    }
  });

  it('brings none of the clients along', () => {
    for (const client of clients)
      expect(existsSync(join(app.folder, 'node_modules', client)), client).toBe(false);
  });

  it('resolves every subpath of its exports', async () => {
    const code = `for (const path of ${JSON.stringify(subpaths)}) {
      await import(path, path.endsWith('.json') ? { with: { type: 'json' } } : {});
      console.log(path);
    }`;
    const { stdout, stderr } = await evaluate(code, '--no-warnings');
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(subpaths);
  });

  it('refuses what is not exported', async () => {
    const { code, stderr } = await evaluate("await import('drover/src/queue.js')");
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('loads no client when an entry point is imported', async () => {
    const entries = subpaths.filter((path) => !path.endsWith('.json'));
    const imports = entries.map((path) => `await import('${path}');`).join('\n');
    const { code, stderr } = await evaluate(imports, '--import', './refuse-clients.mjs');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it.each([
    "await import('knex').catch(() => {})",
    "try { (await import('node:module')).createRequire(import.meta.url)('pg'); } catch {}",
  ])('would have noticed: %s', async (code) => {
    const ended = await evaluate(code, '--import', './refuse-clients.mjs');
    expect(ended.stderr).toMatch(/asked for (knex|pg)/);
    expect(ended.code).toBe(9);
  });

  it('type-checks in a strict project without any client', async () => {
    await mkdir(join(app.folder, 'node_modules/@types'), { recursive: true });
    await symlink(join(root, 'node_modules/@types/node'), join(app.folder, 'node_modules/@types/node'));
    await app.write('tsconfig.json', JSON.stringify(strictest));
    await app.write('consumer.ts', consumer);
    const { code, stdout } = await app.run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'));
    expect(stdout).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  it('installs a command that runs', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const ended = await app.run('./node_modules/.bin/drover', '--version');
    expect(ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('starts a project, and names the install command of the client that it lacks', async () => {
    const started = await app.run('./node_modules/.bin/drover', 'init');
    expect(started.stderr).toBe('');
    expect(started.code).toBe(0);
    const { code, stdout, stderr } = await app.run('./node_modules/.bin/drover', 'queue:size');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^error E_DRIVER_MISSING: .*better-sqlite3.* not installed$/),
      expect.stringMatching(/^ {2}fix: Run: npm install knex@3 better-sqlite3@12$/),
    ]);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

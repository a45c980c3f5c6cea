import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './root.js';

// The rules about promises are young and the ones about process-wide effects are bound to folders: an update
// or a slip in biome.json could silence them without anybody noticing.

const effect = 'export function f(): void {\n  process.exit(1);\n}\n';
const store = 'interface Store {\n  delete(id: string): Promise<boolean>;\n}\n';

const planted: readonly { readonly file: string; readonly rule: string; readonly code: string }[] = [
  {
    file: 'src/floating.ts',
    rule: 'noFloatingPromises',
    code: `${store}export function f(store: Store): void {\n  store.delete('1');\n}\n`,
  },
  {
    file: 'test/misused.ts',
    rule: 'noMisusedPromises',
    code: `${store}export function f(store: Store): number {\n  return store.delete('1') ? 1 : 2;\n}\n`,
  },
  {
    file: 'cli/each.ts',
    rule: 'noMisusedPromises',
    code: `${store}export function f(store: Store): void {\n  ['1'].forEach(async (id) => {\n    await store.delete(id);\n  });\n}\n`,
  },
  { file: 'src/console.ts', rule: 'noConsole', code: "console.log('hello');\n" },
  { file: 'src/exit.ts', rule: 'noJsRestrictedProperties', code: effect },
  { file: 'drivers/redis/exit.ts', rule: 'noJsRestrictedProperties', code: effect },
  {
    file: 'config/listen.ts',
    rule: 'noJsRestrictedProperties',
    code: "process.once('SIGTERM', () => {});\n",
  },
  {
    file: 'migrations/import.ts',
    rule: 'noRestrictedImports',
    code: "export { exit } from 'node:process';\n",
  },
  { file: 'src/default.ts', rule: 'noDefaultExport', code: 'export default 1;\n' },
  { file: 'src/any.ts', rule: 'noExplicitAny', code: 'export let a: any;\n' },
];

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: { readonly path: string };
  }[];
}

describe('the lint rules', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-lint-'));
    await cp(join(root, 'biome.json'), join(folder, 'biome.json'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function lint(): Promise<string[]> {
    const flags = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none'];
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const ran = promisify(execFile)(process.execPath, [biome, ...flags], { cwd: folder });
    // It exits with 1 when it has something to say, and says it all the same.
    const { stdout } = await ran.catch((error: { stdout: string }) => error);
    const { diagnostics } = JSON.parse(stdout) as Report;
    return diagnostics
      .map(({ category, location }) => `${location.path}: ${category.split('/').at(-1)}`)
      .sort();
  }

  async function write(file: string, code: string): Promise<void> {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), code);
  }

  it('let the command line exit and print', async () => {
    await write('cli/exit.ts', `${effect}console.log('hello');\n`);
    expect(await lint()).toEqual([]);
  });

  it('catch each planted violation', async () => {
    for (const { file, code } of planted) await write(file, code);
    expect(await lint()).toEqual(planted.map(({ file, rule }) => `${file}: ${rule}`).sort());
  });
});

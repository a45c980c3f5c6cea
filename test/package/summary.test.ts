import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './root.js';

interface Ended {
  readonly code: number | null;
  readonly lastLine: string | undefined;
  readonly stderr: string;
}

describe('a test run', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-summary-'));
    await mkdir(join(folder, 'test'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs one file of tests, with our config, in a process of its own. */
  async function vitest(code: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    await writeFile(
      join(folder, 'test/one.test.ts'),
      `import { describe, it, beforeAll } from 'vitest';\n${code}`,
    );
    const bin = join(root, 'node_modules/vitest/vitest.mjs');
    const args = [bin, 'run', '--root', folder, '--config', join(root, 'vitest.config.ts')];
    return new Promise((resolve) => {
      // Without what the surrounding run told its workers.
      const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
      const options = {
        cwd: folder,
        env: { ...Object.fromEntries(outer), NO_COLOR: '1', DROVER_TEST_SERVERS: 'none', ...env },
      };
      const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, lastLine: stdout.trim().split('\n').at(-1), stderr });
      });
    });
  }

  it('ends with a plain count', async () => {
    const ended = await vitest("it('a', () => {});\nit('b', () => {});");
    expect(ended).toMatchObject({ code: 0, lastLine: '2 passed, 0 failed' });
  });

  it('counts failed tests', async () => {
    const ended = await vitest("it('a', () => {});\nit('b', () => { throw new Error('no'); });");
    expect(ended).toMatchObject({ code: 1, lastLine: '1 passed, 1 failed' });
  });

  it.each([
    ['a file that cannot be loaded', "import './nowhere.js';\nit('a', () => {});", '0 passed, 1 failed'],
    [
      'an error outside all tests',
      "it('a', () => { void Promise.reject(new Error('no')); });",
      '1 passed, 1 failed',
    ],
  ])('counts %s', async (_what, code, lastLine) => {
    expect(await vitest(code)).toMatchObject({ code: 1, lastLine });
  });

  it('fails when a test was skipped that nobody named', async () => {
    const code = "it('a', () => {});\ndescribe('postgres', () => { it.skip('b', () => {}); });";
    const lastLine = '1 passed, 0 failed, 1 skipped';
    const silent = await vitest(code);
    expect(silent).toMatchObject({ code: 1, lastLine });
    expect(silent.stderr).toContain('not named in DROVER_SKIP: test/one.test.ts > postgres > b');
    expect(await vitest(code, { DROVER_SKIP: 'mysql' })).toMatchObject({ code: 1, lastLine });
    expect(await vitest(code, { DROVER_SKIP: 'mysql, postgres' })).toMatchObject({ code: 0, lastLine });
  });
});

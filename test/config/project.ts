import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A folder with these files, in which `drover` is installed; removed after the test. Where no package.json
 * is given it is one of ES modules.
 */
export async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'drover-config-')));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'node_modules'));
  await symlink(repository, join(directory, 'node_modules', 'drover'));
  await addFiles(directory, { 'package.json': '{ "type": "module" }', ...files });
  return directory;
}

/** Writes files into a folder. */
export async function addFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

/** What a module printed that was run in the folder by a Node of its own. */
export async function runIn(
  directory: string,
  code: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { PATH = '' } = process.env;
  const args = ['--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: directory,
    env: { PATH, ...env },
  });
  return stdout;
}

/** The error that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & { code: string; fix?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code: string; fix?: string };
  }
  throw new Error('it did not fail');
}

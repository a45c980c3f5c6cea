import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../package/root.js';

/** A block of code in a document that is marked `<!-- run: NAME -->`. */
export interface Example {
  /** The name of its file, or `shell`. */
  readonly run: string;
  readonly code: string;
  /** What it must print, where the document says so. */
  readonly output: string | undefined;
}

/** A document of this repository, by its path. */
export function readDocument(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The marked blocks of a document, in order; the `text` block right after one is its output. */
export function examplesOf(document: string): Example[] {
  const block = /<!-- run: (\S+) -->\n```\w+\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g;
  return [...document.matchAll(block)].map(([, run = '', code = '', output]) => ({ run, code, output }));
}

/** An application's folder with the built package installed in it, as a link. */
export interface ExampleProject {
  readonly directory: string;
  write(name: string, text: string): void;
  /** Runs a command in it, which must succeed; answers what it printed. */
  run(command: string, args: readonly string[]): string;
  remove(): void;
}

/**
 * Makes such a folder under the system's own for temporary files.
 *
 * @param packages what it has installed beside drover.
 */
export function makeExampleProject(packages: readonly string[]): ExampleProject {
  const directory = mkdtempSync(join(tmpdir(), 'drover-example-'));
  const installed = join(directory, 'node_modules');
  mkdirSync(join(installed, '.bin'), { recursive: true });
  symlinkSync(root, join(installed, 'drover'));
  chmodSync(join(root, 'dist/cli/bin.cjs'), 0o755); // as npm does when it links a command
  symlinkSync(join(root, 'dist/cli/bin.cjs'), join(installed, '.bin/drover'));
  for (const name of packages) {
    mkdirSync(dirname(join(installed, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(installed, name));
  }
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  write('package.json', '{ "private": true, "type": "module" }\n');
  return {
    directory,
    write,
    run(command, args) {
      const result = spawnSync(command, args, { cwd: directory, encoding: 'utf8', timeout: 25_000 });
      expect(result.status, `${command} ${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0);
      return result.stdout;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

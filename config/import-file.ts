import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** The files that can be imported. */
export const importable = /\.[cm]?[jt]s$/;

/**
 * Imports a file: TypeScript through jiti, which also runs on versions of Node that cannot read it,
 * everything else as Node does. A file is run once in a process, whoever imports it first.
 *
 * @param path absolute, without symlinks.
 * @param directory the project's folder.
 */
export async function importFile(path: string, directory: string): Promise<Exports> {
  const isTypeScript = /\.[cm]?ts$/.test(path);
  const exports: Exports = isTypeScript
    ? await importTypeScript(path, directory)
    : await import(pathToFileURL(path).href);
  return withPlainDefault(exports);
}

async function importTypeScript(path: string, directory: string): Promise<Exports> {
  const { createJiti } = await import('jiti'); // 20 ms that JavaScript projects need not wait
  const jiti = createJiti(join(directory, 'drover.config.ts'), {
    // Never in the shared /tmp, where others could lay code in wait.
    fsCache: await cacheFolder(directory),
    interopDefault: false,
  });
  return jiti.import<Exports>(path);
}

async function cacheFolder(directory: string): Promise<string | false> {
  const modules = join(directory, 'node_modules');
  const found = await stat(modules).catch(() => undefined);
  return found?.isDirectory() ? join(modules, '.cache', 'drover') : false;
}

/** ES modules that were compiled to CommonJS arrive with their exports, `default` among them, as the default. */
function withPlainDefault(exports: Exports): Exports {
  const outer = exports.default;
  if (typeof outer !== 'object' || outer === null || !('__esModule' in outer)) return exports;
  return outer as unknown as Exports;
}

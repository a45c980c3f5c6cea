import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './root.js';

const runFile = promisify(execFile);

/** Everything that `npm pack` reads, and nothing that it should not need. */
const sources = [
  ...[
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'tsconfig.json',
    'tsconfig.build.json',
    'rolldown.config.js',
    'prune-types.js',
  ],
  ...[
    'loader',
    'src',
    'drivers',
    'migrations',
    'config',
    'cli',
    'test/conformance',
    'docs',
    'bench/README.md',
  ],
];

/** What `npm pack` says of the tarball. */
interface Packed {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[];
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** How a program ended and what it wrote. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An application with drover installed from its tarball, and with none of the optional peers. */
export interface PackedApp {
  readonly packed: Packed;
  readonly folder: string;
  write(file: string, text: string): Promise<void>;
  run(command: string, ...args: readonly string[]): Promise<Ended>;
  remove(): Promise<void>;
}

/**
 * Packs a copy of the sources as for a release, and installs the tarball in a new application. The copy
 * holds the left-over of a build of yesterday, and other tests may use `dist` meanwhile.
 */
export async function installPacked(): Promise<PackedApp> {
  const home = await mkdtemp(join(tmpdir(), 'drover-packed-'));
  const source = join(home, 'source');
  const folder = join(home, 'app');
  for (const path of sources) await cp(join(root, path), join(source, path), { recursive: true });
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  await mkdir(join(source, 'dist/src'), { recursive: true });
  await writeFile(join(source, 'dist/src/removed-yesterday.js'), '');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await copyDependencies(folder);

  const { stdout } = await runFile('npm', ['pack', '--json', '--pack-destination', home], { cwd: source });
  const [packed] = JSON.parse(stdout) as [Packed & { readonly filename: string }];
  const flags = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await runFile('npm', ['install', ...flags, join(home, packed.filename)], { cwd: folder });

  return {
    packed,
    folder,
    write: (file, text) => writeFile(join(folder, file), text),
    run: (command, ...args) => run(folder, command, args),
    remove: () => rm(home, { recursive: true }),
  };
}

/** What drover depends on, in the versions of the lock file: so that npm finds it all there and downloads nothing. */
async function copyDependencies(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    const isNested = path.indexOf('node_modules/') !== path.lastIndexOf('node_modules/');
    if (path === '' || dev || isNested) continue;
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
  // Links their commands: npm would fetch a package anew whose command is missing.
  await runFile('npm', ['rebuild', '--ignore-scripts'], { cwd: folder });
}

async function run(cwd: string, command: string, args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' };
  try {
    return { code: 0, ...(await runFile(command, args, { cwd, env })) };
  } catch (error) {
    // What execFile rejects with has the code and the output of the program, unless it never ran.
    const ended = error as Partial<Ended> & Error;
    if (typeof ended.code !== 'number') throw error;
    return { code: ended.code, stdout: ended.stdout ?? '', stderr: ended.stderr ?? '' };
  }
}

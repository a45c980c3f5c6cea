import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server that the tests run against, or a program that they run, and the Debian packages that have it. */
interface Needed {
  readonly program: string;
  /** True where it is there with all that is needed of it. Default: where the program is there. */
  readonly isThere?: () => boolean;
  /** Part of the path of the tests that need it, where those may be skipped. */
  readonly onlyFor?: string;
  readonly apt: string;
  readonly brew: string;
}

const needed: readonly Needed[] = [
  { program: 'redis-server', apt: 'redis-server', brew: 'redis' },
  { program: 'mariadbd', apt: 'mariadb-server', brew: 'mariadb' },
  { program: 'postgres', apt: 'postgresql', brew: 'postgresql' },
  { program: 'pgbouncer', apt: 'pgbouncer', brew: 'pgbouncer' },
  {
    program: 'php with redis and pdo_mysql',
    isThere: () =>
      succeeds('php', '-r', 'exit(extension_loaded("redis") && extension_loaded("pdo_mysql") ? 0 : 1);'),
    onlyFor: 'test/interop/producers',
    apt: 'php-cli php-redis php-mysql',
    brew: 'php && pecl install redis',
  },
  {
    program: 'python3 with redis',
    isThere: () => pythonWithRedis() !== undefined,
    onlyFor: 'test/interop/producers',
    apt: 'python3 python3-redis',
    brew: 'python3 && pip3 install redis',
  },
  // 80 MB for one program: only where it is asked for.
  ...(isAsked('go') ? [{ program: 'go', apt: 'golang-go', brew: 'go' }] : []),
];

/** Whether `DROVER_WITH` names what the tests do without by default. */
export function isAsked(name: string): boolean {
  return (process.env.DROVER_WITH ?? '').split(',').includes(name);
}

/** The Python that has redis-py: Debian's has Debian's packages, and need not be the first in the PATH. */
export function pythonWithRedis(): string | undefined {
  return ['/usr/bin/python3', 'python3'].find((python) => succeeds(python, '-c', 'import redis'));
}

/**
 * Installs the servers that are missing, as the tests of the drivers run against real ones. The services that come
 * with the packages are not started.
 */
export function installServers(): void {
  const missing = allMissing();
  if (missing.length === 0) return;
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  try {
    // How Debian is told that a package may not start its services.
    if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    apt('update');
    apt('install', '--yes', '--no-install-recommends', ...missing.flatMap((one) => one.apt.split(' ')));
  } catch (cause) {
    throw notInstalled(missing, cause);
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
  const still = allMissing();
  if (still.length > 0) throw notInstalled(still);
}

function allMissing(): Needed[] {
  const skipped = (process.env.DROVER_SKIP ?? '').split(',').map((name) => name.trim());
  return needed.filter(({ program, isThere, onlyFor }) => {
    if (onlyFor !== undefined && skipped.includes(onlyFor)) return false;
    return isThere ? !isThere() : findProgram(program) === undefined;
  });
}

function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** The path of a program, also where Debian keeps those of servers out of the PATH; undefined where it is missing. */
export function findProgram(program: string): string | undefined {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    ...(existsSync(versions) ? readdirSync(versions) : []).map((version) => join(versions, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${error?.message ?? stderr}`);
}

function notInstalled(missing: readonly Needed[], cause?: unknown): Error {
  const why = cause instanceof Error ? ` (${cause.message.trim()})` : '';
  const list = (names: readonly string[]): string => names.join(' ');
  return new Error(
    `The tests need ${missing.map(({ program }) => program).join(', ')}, not installed here, and installing ` +
      `failed${why}. Install with: apt-get install ${list(missing.map((one) => one.apt))}, or ` +
      `brew install ${list(missing.map((one) => one.brew))}.`,
  );
}

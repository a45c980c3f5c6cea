import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server that the tests run against, and the Debian package that has it. */
interface Needed {
  readonly program: string;
  readonly apt: string;
  readonly brew: string;
}

const needed: readonly Needed[] = [
  { program: 'redis-server', apt: 'redis-server', brew: 'redis' },
  { program: 'mariadbd', apt: 'mariadb-server', brew: 'mariadb' },
  { program: 'postgres', apt: 'postgresql', brew: 'postgresql' },
  { program: 'pgbouncer', apt: 'pgbouncer', brew: 'pgbouncer' },
];

/**
 * Installs the servers that are missing, as the tests of the drivers run against real ones. The services that come
 * with the packages are not started.
 */
export function installServers(): void {
  const missing = needed.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  try {
    // How Debian is told that a package may not start its services.
    if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    apt('update');
    apt('install', '--yes', '--no-install-recommends', ...missing.map((one) => one.apt));
  } catch (cause) {
    throw notInstalled(missing, cause);
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
  const still = missing.filter(({ program }) => findProgram(program) === undefined);
  if (still.length > 0) throw notInstalled(still);
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

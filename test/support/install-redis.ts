import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Before all tests: installs redis-server where it is missing, as the tests of the Redis driver run against a
 * real one. The service that comes with the package is not started.
 */
export default function installRedis(): void {
  if (isInstalled()) return;
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  try {
    // How Debian is told that a package may not start its services.
    if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    apt('update');
    apt('install', '--yes', '--no-install-recommends', 'redis-server');
  } catch (cause) {
    throw missing(cause);
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
  if (!isInstalled()) throw missing();
}

function isInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${error?.message ?? stderr}`);
}

function missing(cause?: unknown): Error {
  const why = cause instanceof Error ? ` (${cause.message.trim()})` : '';
  return new Error(
    `The tests need redis-server 6.2 or newer, which is not installed and could not be${why}. Install it: ` +
      'apt-get install redis-server, or brew install redis.',
  );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from './root.js';

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

describe('the lock file', () => {
  let text: string;
  let packages: LockFile['packages'];
  let manifest: Manifest;
  beforeAll(async () => {
    text = await readFile(join(root, 'package-lock.json'), 'utf8');
    packages = (JSON.parse(text) as LockFile).packages;
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  });

  it('names no registry, so that it installs from any', () => {
    expect(text).not.toContain('"resolved"');
    expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });

  it('has the packages of every platform: npm ci refuses one that lacks any', () => {
    const names = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
    const wanted = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });

  it('runs no install script that package.json does not allow', () => {
    const scripted = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.replace('node_modules/', ''));
    expect(scripted).toContain('better-sqlite3');
    expect(scripted.filter((name) => manifest.allowScripts[name] !== true)).toEqual([]);
  });

  it('holds each optional peer, for the tests', () => {
    const peers = Object.keys(manifest.peerDependencies);
    expect(peers.filter((name) => !manifest.peerDependenciesMeta[name]?.optional)).toEqual([]);
    expect(peers.filter((name) => !(name in manifest.devDependencies))).toEqual([]);
  });
});

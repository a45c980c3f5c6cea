import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

/** A Node to run a contender on. */
export interface Runtime {
  readonly path: string;
  readonly version: string;
}

/** The Node that runs the benchmark, and everything that does not ask for another. */
export const ownNode: Runtime = { path: process.execPath, version: process.version };

/**
 * A later Node, for contenders that refuse an earlier one: this one if it is late enough, or the one in
 * `bench/node_modules`. Undefined where there is none.
 */
export const laterNode: Runtime | undefined =
  Number.parseInt(process.version.slice(1), 10) >= 22 ? ownNode : installed();

function installed(): Runtime | undefined {
  try {
    const path = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
    return version === '' ? undefined : { path, version };
  } catch {
    return undefined;
  }
}

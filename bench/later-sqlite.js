// Compiles the addon of better-sqlite3 for the later Node of this folder, which has a binary interface of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const later = join(here, 'node_modules', `node-${process.platform}-${process.arch}`);
const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('start this by npm run later-sqlite');
const gyp = createRequire(npm).resolve('node-gyp/bin/node-gyp.js');
const work = mkdtempSync(join(tmpdir(), 'drover-bench-sqlite-'));
cpSync(join(here, 'node_modules/better-sqlite3'), work, { recursive: true });
execFileSync(join(later, 'bin/node'), [gyp, 'rebuild', '--release'], {
  cwd: work,
  // Before a flag: what an .npmrc says of another Node comes this way, and wins.
  env: { ...process.env, npm_config_nodedir: later },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const made = join(work, 'build/Release/better_sqlite3.node');
cpSync(made, join(here, 'node_modules/better-sqlite3/later', 'better_sqlite3.node'));
rmSync(work, { recursive: true });

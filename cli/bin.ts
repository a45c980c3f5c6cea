#!/usr/bin/env node
import { refuseOldNode } from './node-version.js';
import { type StartedProcess, startProcess } from './supervise/start-process.js';
import { readPlainWork } from './supervise/words.js';

// Built as CommonJS: Node runs that 8 ms earlier than a module, and a worker process can be started before all else is
// loaded, which it is once the version is known to be new enough to parse it.
const refusal = refuseOldNode(process.versions.node);
if (refusal === undefined) {
  void run(process.argv.slice(2));
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

async function run(words: readonly string[]): Promise<void> {
  if (words[0] === '--supervised') {
    const { runSupervised }: typeof import('./supervise/run-supervised.js') =
      chunk('supervise/run-supervised');
    return runSupervised();
  }
  const plain = readPlainWork(words);
  if (plain === undefined) {
    const { start }: typeof import('./start.js') = chunk('start');
    return start(words);
  }
  const first = tryToStart(words);
  const { runSupervisor }: typeof import('./run-supervisor.js') = require('./run-supervisor.cjs');
  return runSupervisor(words, plain, first);
}

/** Loads one of the files that all of the build share, with the code that an earlier process compiled. */
function chunk<T>(name: string): T {
  const { load }: typeof import('../loader/load.js') = require('../loader/load.cjs');
  return load(`cli/${name}.cjs`) as T;
}

/** Answers undefined where that fails: the supervisor tries again, and tells of it. */
function tryToStart(words: readonly string[]): StartedProcess | undefined {
  try {
    return startProcess(__filename, words);
  } catch {
    return undefined;
  }
}

#!/usr/bin/env node
import { refuseOldNode } from './node-version.js';

// The rest is imported once the version is known to be new enough to parse it.
const refusal = refuseOldNode(process.versions.node);
if (refusal === undefined) {
  const words = process.argv.slice(2);
  if (words[0] === '--supervised') {
    const { runSupervised } = await import('./supervise/run-supervised.js');
    await runSupervised();
  } else {
    const { isForGroups, readPlainWork } = await import('./supervise/words.js');
    const plain = readPlainWork(words);
    if (plain !== undefined) {
      const { runSupervisor } = await import('./supervise/run-supervisor.js');
      await runSupervisor(words, plain);
    } else if (isForGroups(words)) {
      const { runGroups } = await import('./supervise/run-groups.js');
      await runGroups(words);
    } else {
      const { runProcess } = await import('./process.js');
      await runProcess();
    }
  }
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

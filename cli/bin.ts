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
    const { start } = await import('./start.js');
    await start(words);
  }
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

#!/usr/bin/env node
import { refuseOldNode } from './node-version.js';

// The rest is imported once the version is known to be new enough to parse it.
const refusal = refuseOldNode(process.versions.node);
if (refusal === undefined) {
  const { supervisorWords } = await import('./supervise/words.js');
  const words = process.argv.slice(2);
  const supervised = supervisorWords(words);
  if (supervised === undefined) {
    const { runProcess } = await import('./process.js');
    await runProcess();
  } else {
    // Without what runs commands: a supervisor is small, and its worker processes load it.
    const { supervise } = await import('./supervise/supervise.js');
    await supervise(words, supervised);
  }
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

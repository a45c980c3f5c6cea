#!/usr/bin/env node
import { refuseOldNode } from './node-version.js';

// The rest is imported once the version is known to be new enough to parse it.
const refusal = refuseOldNode(process.versions.node);
if (refusal === undefined) {
  const { isForGroups, supervisorWords } = await import('./supervise/words.js');
  const words = process.argv.slice(2);
  const supervised = supervisorWords(words);
  // Supervisors go without what runs commands: they are small, and their worker processes load it.
  if (supervised !== undefined) {
    const { supervise } = await import('./supervise/supervise.js');
    await supervise(words, supervised);
  } else if (isForGroups(words)) {
    const { superviseGroups } = await import('./supervise/supervise-groups.js');
    await superviseGroups(words);
  } else {
    const { runProcess } = await import('./process.js');
    await runProcess();
  }
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

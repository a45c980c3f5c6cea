#!/usr/bin/env node
import { refuseOldNode } from './node-version.js';

// The rest is imported once the version is known to be new enough to parse it.
const refusal = refuseOldNode(process.versions.node);
if (refusal === undefined) {
  const { runProcess } = await import('./process.js');
  await runProcess();
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}

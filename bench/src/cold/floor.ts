import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// What a supervisor is at the least: a process that starts another and ends with it.
const child = fork(fileURLToPath(new URL('floor-child.js', import.meta.url)), process.argv.slice(2));
process.on('SIGTERM', () => child.disconnect());
child.on('exit', (code) => process.exit(code ?? 1));

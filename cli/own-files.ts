import { fileURLToPath } from 'node:url';

// With the folder's own name, so that the paths hold in the build too, where this is in dist/chunks.

/** This program, for node to run it in another process. */
export const ownProgram = fileURLToPath(new URL('../cli/bin.cjs', import.meta.url));

/** The watchdog of worker processes, for a thread. */
export const watchdogFile = new URL('../cli/supervise/watchdog.cjs', import.meta.url);

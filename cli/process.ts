import { run } from './main.js';
import { endWith, processIo } from './process-io.js';

/** Runs the command of this process's arguments and exits with its code. */
export async function runProcess(): Promise<never> {
  const argv = process.argv.slice(2);
  return endWith(await run(argv, processIo(argv.includes('--json'))));
}

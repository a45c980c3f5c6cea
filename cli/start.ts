import { isForGroups } from './supervise/words.js';

/** Runs what the words of the command line ask for, as what this process is for. Only then the rest of it is loaded. */
export async function start(words: readonly string[]): Promise<void> {
  if (isForGroups(words)) {
    const { runGroups } = await import('./supervise/run-groups.js');
    return runGroups(words);
  }
  const { runProcess } = await import('./process.js');
  return runProcess();
}

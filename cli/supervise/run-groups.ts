import { endWith, processIo } from '../process-io.js';
import { reporting } from '../reporting.js';
import { superviseGroups } from './supervise-groups.js';

/** Runs the supervisor of groups as what this process is for, and exits with its code. */
export async function runGroups(words: readonly string[]): Promise<never> {
  const json = words.includes('--json');
  const io = processIo(json);
  return endWith(await reporting(io, json, () => superviseGroups(words, io)));
}

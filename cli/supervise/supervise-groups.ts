import { GroupSupervisor } from './group-supervisor.js';
import { runToExit, tellerFor } from './supervise.js';

/** Runs `queue:supervise` as the supervisor of groups of worker processes, and exits with its code. */
export function superviseGroups(words: readonly string[]): Promise<never> {
  const json = words.includes('--json');
  return runToExit(new GroupSupervisor(words, (group) => tellerFor(json, { group })), json);
}

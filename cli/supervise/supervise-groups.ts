import type { Io } from '../io.js';
import { GroupSupervisor } from './group-supervisor.js';
import { runObeying, tellerFor } from './supervise.js';

/** Runs `queue:supervise` as the supervisor of groups of worker processes; answers its exit code. */
export function superviseGroups(words: readonly string[], io: Io): Promise<number> {
  const json = words.includes('--json');
  return runObeying(new GroupSupervisor(words, (group) => tellerFor(io, json, { group })), io);
}

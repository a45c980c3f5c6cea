import type { ChildProcess } from 'node:child_process';

/** Ends a process that leads a group of its own, and with it what it started, at once. */
export function killGroup(leader: ChildProcess): void {
  const { pid } = leader;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') leader.kill('SIGKILL');
    else process.kill(-pid, 'SIGKILL');
  } catch {
    // No process of the group is left.
  }
}

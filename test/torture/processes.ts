import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The processes that one has started and that live. */
export function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** True while a process lives that works in a folder: numbers of processes are used again, by those of others too. */
export function livesIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false; // gone, or a zombie
  }
}

/** CPU time that a process has had, in ms; 0 where it is gone. */
export function cpuMsOf(pid: number): number {
  const [user, system] = statOf(pid).slice(11, 13);
  return ((user ?? 0) + (system ?? 0)) * 10; // a hundred ticks a second
}

/** What a process has, and since when; undefined where it is gone. */
export function resourcesOf(
  pid: number,
): { readonly rssMiB: number; readonly files: number; readonly since: number } | undefined {
  const rss = /^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  if (rss === undefined) return undefined;
  try {
    const files = readdirSync(`/proc/${pid}/fd`).length;
    return { rssMiB: Math.round(Number(rss) / 102.4) / 10, files, since: statOf(pid)[19] ?? 0 };
  } catch {
    return undefined;
  }
}

/** True of a process that was stopped and does not go on yet. */
export function standsStill(pid: number): boolean {
  return read(`/proc/${pid}/stat`)?.split(') ')[1]?.startsWith('T') === true;
}

/** Sends a signal, unless the process has gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** The exit code of a child that has just started; it is killed where it has not ended after so long, and answers undefined. */
export async function endWithin(child: ChildProcess, ms: number): Promise<number | null | undefined> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = child.kill('SIGKILL');
  }, ms);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  return isLate ? undefined : code;
}

/** The numbers of its `stat`, from the state on. */
function statOf(pid: number): number[] {
  const [, fields = ''] = read(`/proc/${pid}/stat`)?.split(') ') ?? [];
  return fields.split(' ').map(Number);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

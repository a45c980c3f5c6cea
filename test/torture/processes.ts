import { readdirSync, readFileSync } from 'node:fs';

/** The processes that one has started and that live. */
export function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** True while a process lives, a zombie aside. */
export function isAlive(pid: number): boolean {
  return /^State:\s*[^ZX]/m.test(read(`/proc/${pid}/status`) ?? 'State: X');
}

/** CPU time that a process has had, in ms; 0 where it is gone. */
export function cpuMsOf(pid: number): number {
  const [, fields = ''] = read(`/proc/${pid}/stat`)?.split(') ') ?? [];
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) * 10; // a hundred ticks a second
}

/** What a process has; undefined where it is gone. */
export function resourcesOf(pid: number): { readonly rssMiB: number; readonly files: number } | undefined {
  const rss = /^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  if (rss === undefined) return undefined;
  try {
    return { rssMiB: Math.round(Number(rss) / 102.4) / 10, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Sends a signal, unless the process has gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

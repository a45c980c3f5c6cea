import { readdirSync, readFileSync } from 'node:fs';

/** The processes of a group that live. */
export function membersOf(group: number): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    const stat = statOf(pid);
    return stat?.group === group && stat.state !== 'Z';
  });
}

function statOf(pid: number): { readonly state: string; readonly group: number } | undefined {
  try {
    // The name of the program stands in brackets before, and may hold anything.
    const [state = '', , group] =
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}

import type { FaultEvent, LedgerEvent } from '../conformance/index.js';

/** The end of a process, as its parent saw it. */
export interface Gone {
  readonly t: number;
  readonly pid: number;
}

type Started = Extract<LedgerEvent, { ev: 'started' }>;
type Ended = Extract<LedgerEvent, { ev: 'finished' | 'threw' | 'released' | 'aborted' }>;

/** The deaths among the ends of processes: those at which a handler that ran there had not ended. Pure. */
export function deathsOf(events: readonly LedgerEvent[], ends: readonly Gone[]): FaultEvent[] {
  const byPid = new Map<number, (Started | Ended)[]>(ends.map(({ pid }) => [pid, []]));
  for (const event of events) {
    if ('pid' in event && 'id' in event) byPid.get(event.pid)?.push(event);
  }
  const isDeath = ({ t, pid }: Gone): boolean => {
    // Numbers of processes are used again.
    const sinceMs = Math.max(0, ...ends.filter((end) => end.pid === pid && end.t < t).map((end) => end.t));
    const own = (byPid.get(pid) ?? []).filter((one) => one.t > sinceMs && one.t <= t);
    const ended = new Set(own.filter(({ ev }) => ev !== 'started').map(({ id }) => id));
    return own.some(({ id }) => !ended.has(id));
  };
  return ends.filter(isDeath).map(({ t, pid }) => {
    return { ev: 'fault', fault: 'death', fromMs: t, toMs: t, pids: [pid] };
  });
}

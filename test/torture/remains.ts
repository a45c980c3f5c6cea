import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from '../../src/index.js';
import type { LedgerEvent, Remains } from '../conformance/index.js';
import type { Crew } from './crew.js';
import { cpuMsOf, livesIn } from './processes.js';
import type { Profile } from './profile.js';
import type { Store } from './store.js';
import { sizeOf } from './watch.js';

/** Most requests a second of an idle worker beside its looks for jobs, and the share of a core of one process. */
const [mostRequests, mostCpuPercent] = [1, 2];

/** Until what was counted has been written, and workers look at their longest intervals. */
const settlingMs = 3000;

/** What workers cost that have nothing to do. */
export async function idleCost(
  store: Store,
  crew: Crew,
  { idleMs, pollMs }: Profile,
): Promise<Remains['idle']> {
  if (store.driver === undefined) return {}; // nobody minds what the naive one costs
  await sleep(settlingMs);
  const workers = crew.pids.length;
  const requestsBefore = await store.requests();
  const shares = await sharesOf(crew.all, idleMs / 1000);
  const requestsAfter = await store.requests();
  const cpu = { value: Math.round(Math.max(0, ...shares) * 10) / 10, most: mostCpuPercent };
  if (requestsBefore === undefined || requestsAfter === undefined) return { '% CPU of a process': cpu };
  const requests = (requestsAfter - requestsBefore) / (idleMs / 1000) / workers;
  return {
    '% CPU of a process': cpu,
    'requests of a worker a second': {
      value: Math.round(requests * 100) / 100,
      most: mostRequests + 1000 / pollMs,
    },
  };
}

/** What each process takes of a core, in percent, second after second. */
async function sharesOf(pids: readonly number[], seconds: number): Promise<number[]> {
  const seen: number[][] = [pids.map(cpuMsOf)];
  for (let second = 0; second < seconds; second++) {
    await sleep(1000);
    seen.push(pids.map(cpuMsOf));
  }
  return pids.map((_, of) =>
    steadyPercent(seen.slice(1).map((cpuMs, second) => (cpuMs[of] ?? 0) - (seen[second]?.[of] ?? 0))),
  );
}

/**
 * What a process takes of a core in percent, by the ms of each second, without the two costliest: some seconds after
 * its last job V8 collects, once, for as much as 80 ms.
 */
export function steadyPercent(msOfSeconds: readonly number[]): number {
  const steady = msOfSeconds.toSorted((one, other) => one - other).slice(0, -2);
  return steady.reduce((sum, ms) => sum + ms, 0) / steady.length / 10;
}

/** What is there when all workers have ended. */
export async function remainsOf(
  queue: Queue,
  store: Store,
  events: readonly LedgerEvent[],
  folder: string,
): Promise<Omit<Remains, 'idle'>> {
  const size = (await sizeOf(queue)) ?? { ready: -1, delayed: -1, reserved: -1 };
  const records = await queue.failed.list({ limit: 1_000_000 });
  const pids = new Set(events.flatMap((event) => ('pid' in event && event.pid ? [event.pid] : [])));
  return {
    failed: records.map(({ jobId, payload }) => ({ id: jobId, hash: hashOf(JSON.parse(payload).data) })),
    left: {
      ...size,
      ...(await store.residue()),
      processes: [...pids].filter((pid) => livesIn(pid, folder)).length,
    },
  };
}

/** As `hashOf` of the project. */
function hashOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue, QueueSize } from '../../src/index.js';
import type { Crew } from './crew.js';
import { resourcesOf } from './processes.js';
import type { Profile } from './profile.js';
import { bareQueue, lineQueue, type Project, queues } from './project.js';
import { nowMs, type Record } from './record.js';

const [lookMs, memoryMs] = [250, 5000];

/** How many jobs beside the burst may be ready before producers pause: what is left has to be worked off in the end. */
const mostBehind = 2000;

/** The longest drain: what is left then is told. */
const longestDrainMs = 600_000;

/** What a look past the proxy takes at most where the store answers workers in time: that is what a command may take. */
const slowMs = 2000;

/** Jobs of all queues by state; undefined where the store does not answer. */
export async function sizeOf(queue: Queue): Promise<QueueSize | undefined> {
  try {
    const sizes = await Promise.all([...queues, lineQueue, bareQueue].map((name) => queue.size(name)));
    return sizes.reduce((sum, one) => ({
      ready: sum.ready + one.ready,
      delayed: sum.delayed + one.delayed,
      reserved: sum.reserved + one.reserved,
    }));
  } catch {
    return undefined;
  }
}

/** What a watch looks at, and where it writes that down. */
interface Watched {
  readonly queue: Queue;
  readonly crew: Crew;
  readonly record: Record;
  readonly project: Project;
  readonly profile: Profile;
}

/** Looks at the store and at the processes now and then, until the signal aborts. */
export async function watch(watched: Watched, signal: AbortSignal): Promise<void> {
  const { queue, crew, record, project, profile } = watched;
  let memoryDueMs = 0;
  while (!signal.aborted) {
    const fromMs = nowMs();
    const size = await sizeOf(queue);
    if (signal.aborted) return;
    if (size) record.write({ ev: 'depth', t: nowMs(), ready: size.ready });
    // Nobody did that: the machine is too busy.
    if (size && nowMs() - fromMs > slowMs) record.fault('outage', 'store slow by itself', undefined, fromMs);
    if (size) project.hold(size.ready > profile.burst + mostBehind);
    if (nowMs() >= memoryDueMs) {
      memoryDueMs = nowMs() + memoryMs;
      for (const pid of crew.all) {
        const has = resourcesOf(pid);
        if (has) record.write({ ev: 'memory', t: nowMs(), pid, ...has });
      }
    }
    await sleep(lookMs);
  }
}

/** Waits until nothing is left. @param patienceMs how long nothing may move before it is given up. */
export async function drain(queue: Queue, patienceMs: number): Promise<boolean> {
  let before = '';
  let movedMs = nowMs();
  const untilMs = nowMs() + longestDrainMs;
  for (;;) {
    const size = await sizeOf(queue);
    if (size && size.ready + size.delayed + size.reserved === 0) return true;
    const now = JSON.stringify(size);
    if (now !== before) movedMs = nowMs();
    before = now;
    if (nowMs() - movedMs > patienceMs || nowMs() > untilMs) return false;
    await sleep(lookMs);
  }
}

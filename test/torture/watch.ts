import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue, QueueSize } from '../../src/index.js';
import type { Crew } from './crew.js';
import { resourcesOf } from './processes.js';
import { bareQueue, lineQueue, queues } from './project.js';
import { nowMs, type Record } from './record.js';

const [lookMs, memoryMs] = [250, 5000];

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

/** Looks at the store and at the processes now and then, until the signal aborts. */
export async function watch(queue: Queue, crew: Crew, record: Record, signal: AbortSignal): Promise<void> {
  let memoryDueMs = 0;
  while (!signal.aborted) {
    const fromMs = nowMs();
    const size = await sizeOf(queue);
    if (size) record.write({ ev: 'depth', t: nowMs(), ready: size.ready });
    // Nobody did that: the machine is too busy.
    if (size && nowMs() - fromMs > slowMs) record.fault('outage', 'store slow by itself', undefined, fromMs);
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

/** How long nothing may move before a drain is given up. */
export async function drain(queue: Queue, patienceMs: number): Promise<boolean> {
  let before = '';
  let movedMs = nowMs();
  for (;;) {
    const size = await sizeOf(queue);
    if (size && size.ready + size.delayed + size.reserved === 0) return true;
    const now = JSON.stringify(size);
    if (now !== before) movedMs = nowMs();
    before = now;
    if (nowMs() - movedMs > patienceMs) return false;
    await sleep(lookMs);
  }
}

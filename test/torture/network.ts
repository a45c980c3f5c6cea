import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, FaultProxy } from '../support/fault-proxy.js';
import { nowMs } from './record.js';
import type { Planned } from './schedule.js';

/** How long connections may take to be noticed as dead. */
export const commandMs = 2500;

/** Is told what was done to the network, and when that began. */
type Note = (what: string, fromMs: number) => Promise<void>;

/** Does to the network what is planned. */
export async function breakNetwork(
  proxy: FaultProxy,
  { network, forMs }: Planned,
  note: Note,
): Promise<void> {
  const fromMs = nowMs();
  switch (network) {
    case 'cut':
      proxy.cut();
      break;
    case 'delay':
    case 'slow':
      proxy.pace(network === 'delay' ? { delayMs: 300 } : { bytesPerSecond: 16_384 });
      await sleep(forMs);
      proxy.pace({});
      proxy.cut(); // what stands in line would come for long
      break;
    case 'black-hole':
      proxy.blackHole();
      await sleep(forMs);
      proxy.heal();
      break;
    default:
      return breakRequests(proxy, network, note);
  }
  await note(network, fromMs);
}

/** What becomes of single requests, whenever they come: of a run that ends, some do not come at all. */
async function breakRequests(proxy: FaultProxy, kind: FaultKind, note: Note): Promise<void> {
  const noted = Array.from({ length: 4 }, async () => {
    await proxy.plan(kind, () => true).happened;
    // The request that it hit may have been on its way for a while.
    await note(kind, nowMs() - commandMs);
  });
  await Promise.race([Promise.all(noted), sleep(5000)]);
}

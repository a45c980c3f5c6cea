import { createQueue } from '../../../dist/src/index.js';
import type { Contender, Handle, Place } from '../contender.js';
import { benchJob, driverOf } from '../drover.js';

/**
 * drover as an application has it in its own process: leases, events and failed jobs on, no logger.
 *
 * @param options of the worker, besides its concurrency.
 */
export async function open(place: Place, options: { readonly prefetch?: number }): Promise<Contender> {
  let handle: Handle = () => {};
  const job = benchJob((data) => handle(data));
  const queue = createQueue({ connections: { default: await driverOf(place) }, jobs: [job] });
  return {
    push: (data) => queue.push(job, data),
    pushMany: (list, delayMs = 0) => queue.bulk(job, list, delayMs > 0 ? { delay: delayMs } : {}),
    work: (concurrency, handler) => {
      handle = handler;
      return queue.worker({ concurrency, ...options }).run();
    },
    close: () => queue.close(),
  };
}

import { createQueue } from '../../../dist/src/index.js';
import type { Contender, JobData, Place } from '../contender.js';
import { benchJob, driverOf } from '../drover.js';

/** drover as an application has it in its own process: leases, events and failed jobs on, no logger. */
export function open(place: Place): Contender {
  let handle: (data: JobData) => void = () => {};
  const job = benchJob((data) => handle(data));
  const queue = createQueue({ connections: { default: driverOf(place) }, jobs: [job] });
  return {
    push: (data) => queue.push(job, data),
    pushMany: (list) => queue.bulk(job, list),
    work: (concurrency, handler) => {
      handle = handler;
      return queue.worker({ concurrency }).run();
    },
    close: () => queue.close(),
  };
}

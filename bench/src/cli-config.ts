import { setTimeout as pause } from 'node:timers/promises';
import type { Handle } from './contender.js';
import { benchJob, driverOf } from './drover.js';
import { startTally } from './tally.js';
import { taskOfThisProcess } from './task.js';

// The config that `drover queue:work` is started with: its process tells the parent what it handled, as the
// others do.
const { place, jobs, handlerMs = 0 } = taskOfThisProcess();
const tally = startTally(jobs);
const waiting: Handle = async (data) => {
  await pause(handlerMs);
  tally(data);
};

export default {
  connections: { default: await driverOf(place) },
  jobs: [benchJob(handlerMs > 0 ? waiting : tally)],
};

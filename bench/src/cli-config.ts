import { benchJob, driverOf } from './drover.js';
import { startTally } from './tally.js';
import { taskOfThisProcess } from './task.js';

// The config that `drover queue:work` is started with: its process tells the parent what it handled, as the
// others do.
const { place, jobs } = taskOfThisProcess();

export default {
  connections: { default: driverOf(place) },
  jobs: [benchJob(startTally(jobs))],
};

import { driverOf } from '../drover.js';
import { taskOfThisProcess } from '../task.js';

// The config of a project whose start is measured.
export default {
  connections: { default: driverOf(taskOfThisProcess().place) },
  jobs: './jobs/*.js',
};

import { writeFileSync } from 'node:fs';
import { nowUs } from '../contender.js';
import { benchJob, driverOf } from '../drover.js';
import { type Assignment, type Spent, variable } from './assignment.js';

// The config that `drover queue:work` is started with.
const { place, jobs, answerTo } = JSON.parse(process.env[variable] ?? '{}') as Assignment;

let handled = 0;
let start = { us: 0, cpu: process.cpuUsage() };

export default {
  connections: { default: await driverOf(place) },
  jobs: [
    benchJob(() => {
      handled += 1;
      if (handled === 1) start = { us: nowUs(), cpu: process.cpuUsage() };
      if (handled !== jobs) return;
      const { user, system } = process.cpuUsage(start.cpu);
      const whole = process.cpuUsage();
      const spent: Spent = {
        wallUs: nowUs() - start.us,
        cpuUs: user + system,
        wholeCpuUs: whole.user + whole.system,
      };
      writeFileSync(answerTo, JSON.stringify(spent));
    }),
  ],
};

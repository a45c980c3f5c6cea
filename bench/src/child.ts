import { once } from 'node:events';
import { type Contender, nowUs } from './contender.js';
import { contenderOf } from './contenders.js';
import { pushMany, pushOneByOne, pushPaced, pushSideBySide } from './pushing.js';
import { startTally } from './tally.js';
import { report, type Task, taskOfThisProcess } from './task.js';

/** Pushes that warm up the code, and open the connection, before pushing is measured. */
const warmUpJobs = 500;

const roles: Record<Task['role'], (contender: Contender, task: Task) => Promise<void>> = {
  async push(contender, { jobs, how, limitMs = Number.POSITIVE_INFINITY }) {
    const isMeasured = how !== undefined;
    const way = how ?? (contender.pushMany ? 'bulk' : 'in-flight');
    const push = { 'one-by-one': pushOneByOne, 'in-flight': pushSideBySide, bulk: pushMany }[way];
    if (isMeasured) await push(contender, Math.min(jobs, warmUpJobs), limitMs);
    const startUs = nowUs();
    const pushed = await push(contender, jobs, limitMs);
    report({ type: 'pushed', jobs: pushed, us: nowUs() - startUs });
  },

  async work(contender, { concurrency = 1, jobs }) {
    await untilGo();
    await contender.work(concurrency, startTally(jobs));
  },

  async pace(contender, { jobs }) {
    await contender.push({ pushedUs: nowUs(), text: 'the first opens the connections' });
    await untilGo();
    const startUs = nowUs();
    await pushPaced(contender, jobs);
    report({ type: 'pushed', jobs, us: nowUs() - startUs });
  },
};

/** Resolves when the parent says so: it lets all begin at once. */
async function untilGo(): Promise<void> {
  const going = once(process, 'message');
  report({ type: 'ready' });
  await going;
}

// The parent ends a process by letting go of it: only an orderly exit writes a profile.
process.on('disconnect', () => process.exit());
const task = taskOfThisProcess();
try {
  const entry = contenderOf(task.place.store, task.contender);
  await roles[task.role](await entry.open(task.place), task);
} catch (error) {
  report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

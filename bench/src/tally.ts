import { type JobData, nowUs } from './contender.js';
import { report } from './task.js';

/** How often a worker tells what it has handled. */
const tellEveryUs = 50_000;
/** Runs of up to so many jobs keep each latency. */
const latenciesOf = 1000;

/**
 * Counts what a worker handles and tells the parent, once `expected` jobs are done and every 50 ms before.
 * Answers the function to call with each job.
 */
export function startTally(expected: number): (data: JobData) => void {
  const latenciesUs: number[] = [];
  let handled = 0;
  let firstUs = 0;
  let lastUs = 0;
  let toldUs = 0;
  let told = 0;
  let cpuAtFirst = process.cpuUsage();

  const tell = () => {
    toldUs = nowUs();
    told = handled;
    const { user, system } = process.cpuUsage(cpuAtFirst);
    const rssKiB = process.resourceUsage().maxRSS;
    report({ type: 'tally', handled, firstUs, lastUs, cpuUs: user + system, rssKiB, latenciesUs });
  };
  setInterval(() => {
    if (handled > told) tell();
  }, tellEveryUs / 1000).unref();

  return ({ pushedUs }) => {
    lastUs = nowUs();
    if (handled === 0) {
      firstUs = lastUs;
      cpuAtFirst = process.cpuUsage();
    }
    handled += 1;
    if (expected <= latenciesOf) latenciesUs.push(lastUs - pushedUs);
    // Not only by the timer: a worker that never leaves the event loop a turn would never tell.
    if (handled === expected || lastUs - toldUs > tellEveryUs) tell();
  };
}

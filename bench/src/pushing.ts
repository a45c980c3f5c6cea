import { setTimeout as pause } from 'node:timers/promises';
import { type Contender, jobData, nowUs } from './contender.js';

const inFlight = 100;
const paceMs = 20;

/** What is pushed. */
interface Load {
  /** Bytes of text in each job. Default: some sixty. */
  readonly bytes?: number;
  /** In how many ms the jobs are due. Default: at once. */
  readonly delayMs?: number;
}

/** Pushes jobs until `jobs` or the limit is reached; answers how many. */
export type Push = (contender: Contender, jobs: number, limitMs: number, load: Load) => Promise<number>;

/** Awaits each push before the next. */
export const pushOneByOne: Push = async (contender, jobs, limitMs, { bytes }) => {
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  while (pushed < jobs && nowUs() < endUs) {
    await contender.push(jobData(bytes));
    pushed += 1;
  }
  return pushed;
};

/** Keeps 100 pushes under way. */
export const pushSideBySide: Push = async (contender, jobs, limitMs, { bytes, delayMs = 0 }) => {
  if (delayMs > 0) throw new Error('it has no call for many jobs');
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  const lane = async () => {
    while (pushed < jobs && nowUs() < endUs) {
      pushed += 1;
      await contender.push(jobData(bytes));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return pushed;
};

/** Pushes 1,000 jobs a call. */
export const pushMany: Push = async (contender, jobs, limitMs, { bytes, delayMs = 0 }) => {
  // Some servers take no calls of more than 16 MB.
  const perCall = bytes === undefined ? 1000 : 50;
  if (contender.pushMany === undefined) throw new Error('it has no call for many jobs');
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  while (pushed < jobs && nowUs() < endUs) {
    const list = Array.from({ length: Math.min(perCall, jobs - pushed) }, () => jobData(bytes));
    await contender.pushMany(list, delayMs);
    pushed += list.length;
  }
  return pushed;
};

/** Pushes a job every 20 ms. */
export async function pushPaced(contender: Contender, jobs: number): Promise<void> {
  for (let pushed = 0; pushed < jobs; pushed++) {
    await pause(paceMs);
    await contender.push(jobData());
  }
}

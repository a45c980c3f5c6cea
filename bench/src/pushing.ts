import { setTimeout as pause } from 'node:timers/promises';
import { type Contender, jobData, nowUs } from './contender.js';

const inFlight = 100;
const perCall = 1000;
const paceMs = 20;

/** Awaits each push before the next. Answers how many were pushed until `jobs` or the limit was reached. */
export async function pushOneByOne(contender: Contender, jobs: number, limitMs: number): Promise<number> {
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  while (pushed < jobs && nowUs() < endUs) {
    await contender.push(jobData());
    pushed += 1;
  }
  return pushed;
}

/** Keeps 100 pushes under way. */
export async function pushSideBySide(contender: Contender, jobs: number, limitMs: number): Promise<number> {
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  const lane = async () => {
    while (pushed < jobs && nowUs() < endUs) {
      pushed += 1;
      await contender.push(jobData());
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return pushed;
}

/** Pushes 1,000 jobs a call. */
export async function pushMany(contender: Contender, jobs: number, limitMs: number): Promise<number> {
  if (contender.pushMany === undefined) throw new Error('it has no call for many jobs');
  const endUs = nowUs() + limitMs * 1000;
  let pushed = 0;
  while (pushed < jobs && nowUs() < endUs) {
    const list = Array.from({ length: Math.min(perCall, jobs - pushed) }, jobData);
    await contender.pushMany(list);
    pushed += list.length;
  }
  return pushed;
}

/** Pushes a job every 20 ms. */
export async function pushPaced(contender: Contender, jobs: number): Promise<void> {
  for (let pushed = 0; pushed < jobs; pushed++) {
    await pause(paceMs);
    await contender.push(jobData());
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Contender, Handle, JobData } from '../contender.js';

// Forgets what was handled and takes the next: what a queue with leases has to do at the least.
const next = `
for at = 2, #ARGV do redis.call('ZREM', KEYS[2], ARGV[at]) end
local jobs = redis.call('LPOP', KEYS[1], ARGV[1])
if not jobs then return {} end
local time = redis.call('TIME')[1]
for _, job in ipairs(jobs) do redis.call('ZADD', KEYS[2], time, job) end
return jobs
`;

/** The limit on Redis: ioredis and one script a round trip, for `batch` jobs. */
export async function open(port: number, batch: number): Promise<Contender> {
  const redis = new Redis({ port, host: '127.0.0.1' });
  const sha = (await redis.script('LOAD', next)) as string;

  const loop = async (handle: Handle): Promise<never> => {
    let handled: string[] = [];
    for (;;) {
      const jobs = (await redis.evalsha(sha, 2, 'waiting', 'reserved', batch, ...handled)) as string[];
      const underWay = jobs.flatMap((job) => handle(JSON.parse(job) as JobData) ?? []);
      if (underWay.length > 0) await Promise.all(underWay);
      handled = jobs;
      if (jobs.length === 0) await pause(1);
    }
  };
  let made = 0;
  // Members of the reserved set have to differ.
  const member = (data: JobData) => JSON.stringify({ ...data, id: `${process.pid}-${made++}` });
  return {
    push: (data) => redis.rpush('waiting', member(data)),
    pushMany: (list, delayMs = 0) => {
      if (delayMs > 0) throw new Error('it has no delays');
      return redis.rpush('waiting', ...list.map(member));
    },
    work: (concurrency, handle) => Promise.all(Array.from({ length: concurrency }, () => loop(handle))),
    close: () => redis.quit(),
  };
}

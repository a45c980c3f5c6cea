import { Redis } from 'ioredis';
import type { Contender, Handle, JobData } from '../contender.js';

/**
 * How soon Redis can hand over a job to a process that waits for it, by ioredis. With one hop the answer to the blocking
 * command is the job, as in bee-queue, which has only the id in it; with two it is a wake-up, after which the job is
 * asked for, as a queue has to that does more than one thing when it takes a job.
 */
export async function open(port: number, hops: 1 | 2): Promise<Contender> {
  const redis = new Redis({ port, host: '127.0.0.1' });
  const list = hops === 1 ? 'waiting' : 'wakes';

  const loop = async (handle: Handle): Promise<never> => {
    const blocked = new Redis({ port, host: '127.0.0.1' });
    for (;;) {
      const told = await blocked.brpoplpush(list, 'taken', 0);
      const job = hops === 1 ? told : await redis.rpoplpush('waiting', 'reserved');
      if (job !== null) await handle(JSON.parse(job) as JobData);
    }
  };
  const push = (data: JobData): unknown => {
    const job = JSON.stringify(data);
    if (hops === 1) return redis.lpush('waiting', job);
    return redis.pipeline().lpush('waiting', job).lpush('wakes', '1').exec();
  };
  return {
    push,
    work: (_, handle) => loop(handle),
    close: () => redis.quit(),
  };
}

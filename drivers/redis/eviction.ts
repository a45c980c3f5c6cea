import type { Logger } from '../../src/index.js';
import type { RedisInstance } from './redis-types.js';

/** Warns where the server, once it is full, would make room by dropping queues. Never rejects. */
export async function warnOfEviction(redis: RedisInstance, place: string, logger: Logger): Promise<void> {
  try {
    const [, policy = ''] = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory')) ?? [];
    // Those named volatile take keys that expire, and none of ours does.
    if (!policy.startsWith('allkeys-')) return;
    const what = `${place} has maxmemory-policy ${policy}: when full, it drops whole queues. Set it to noeviction.`;
    logger.warn({ redis: place, policy }, what);
  } catch (error) {
    // A user without the right to ask; a connection that is lost again is told by the command that follows.
    logger.debug({ redis: place }, error instanceof Error ? error.message : String(error));
  }
}

import type { RedisInstance } from './redis-types.js';

/** Resolves once commands can be sent; rejects with what ends the attempt to connect that is under way. */
export function whenReady(redis: RedisInstance): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  if (redis.status === 'end') return Promise.reject(new Error('the client was ended'));
  return new Promise((resolve, reject) => {
    const listeners = {
      ready: () => settle(resolve),
      error: (error: unknown) => settle(() => reject(error)),
      close: () => settle(() => reject(new Error('Connection is closed.'))),
    };
    const settle = (how: () => void): void => {
      for (const [event, listener] of Object.entries(listeners)) redis.off(event, listener);
      how();
    };
    for (const [event, listener] of Object.entries(listeners)) redis.on(event, listener);
    // What goes wrong comes as an event too.
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
  });
}

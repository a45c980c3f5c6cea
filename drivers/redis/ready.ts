import type { Client } from './client.js';

/** Resolves once commands can be sent; rejects with what ends the attempt to connect that is under way. */
export function whenReady({ redis, isOurs }: Client): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  // Ours comes to its end when it is given up while it asks Sentinel: it can be begun anew.
  const isIdle = redis.status === 'wait' || (redis.status === 'end' && isOurs);
  if (redis.status === 'end' && !isOurs) return Promise.reject(new Error('the client was ended'));
  return new Promise((resolve, reject) => {
    const listeners = {
      ready: () => settle(resolve),
      error: (error: unknown) => settle(() => reject(error)),
      close: () => settle(() => reject(new Error('the connection was lost while it was made'))),
    };
    const settle = (how: () => void): void => {
      for (const [event, listener] of Object.entries(listeners)) redis.off(event, listener);
      how();
    };
    for (const [event, listener] of Object.entries(listeners)) redis.on(event, listener);
    // What goes wrong comes as an event too.
    if (isIdle) redis.connect().catch(() => undefined);
  });
}

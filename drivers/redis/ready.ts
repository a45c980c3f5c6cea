import type { Client } from './client.js';

const lostWhileMade = 'the connection was lost while it was made';

/** Whether `whenReady` ended so. */
export function isLostWhileMade(error: unknown): boolean {
  return error instanceof Error && error.message === lostWhileMade;
}

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
      close: () => settle(() => reject(new Error(lostWhileMade))),
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

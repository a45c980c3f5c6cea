import type { Client } from './client.js';
import type { RedisInstance } from './redis-types.js';

/** A command on its way. */
export interface Call<T> {
  command: (redis: RedisInstance) => Promise<T>;
  /** What to send instead where the server knows no script of that name: nothing ran then. */
  readonly ifUnknown?: (redis: RedisInstance) => Promise<T>;
  /** How many connections had been given up when it was begun. */
  life: number;
  isSent: boolean;
  /** Nobody waits for it any more. */
  isLate: boolean;
}

/** Sends a command. What the client refuses at once is an answer too. */
export function sent<T>({ redis }: Client, call: Call<T>): Promise<T> {
  call.isSent = true;
  try {
    return call.command(redis);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The server was restarted, or its scripts were flushed. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** What ioredis says of a command for which it had no connection. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable");
}

/** What ioredis says of a command in flight when the application, or its own settings, ended the client for good. */
export function isEnded(error: unknown): boolean {
  return error instanceof Error && error.message === 'Connection is closed.';
}

/** Redis 6.2 puts what a script met behind where it met it: `ERR Error running script …: -READONLY …`. */
export function isDemoted(error: unknown): boolean {
  return error instanceof Error && /(?:^|-)(?:READONLY|UNBLOCKED|MASTERDOWN)\b/.test(error.message);
}

import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import type { Logger } from '../../src/index.js';
import { explainPackage } from './errors.js';
import { forgetful } from './forgetful.js';
import type { RedisSettings } from './options.js';
import type { RedisInstance } from './redis-types.js';

/** A client, and what to do with it in the end. */
export interface Client {
  readonly redis: RedisInstance;
  /** True where we made it. */
  readonly isOurs: boolean;
  /** Drops the connection, so that nothing that waits in it is carried out later, and connects anew. */
  reconnect(): void;
  end(): void;
}

/** The application's client, which is neither reconnected nor ended by us. */
export function borrowClient(redis: RedisInstance): Client {
  return { redis, isOurs: false, reconnect: () => {}, end: () => {} };
}

/** What keeps a client from sending anything twice, or later than it was asked to. */
const sendOnce = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
};

/** Another connection of ours to where the application's client leads. */
export function openBeside(borrowed: RedisInstance): Client {
  const redis = borrowed.duplicate(sendOnce);
  redis.on('error', () => undefined); // told by the command that fails
  return ownClient(redis);
}

function ownClient(redis: RedisInstance): Client {
  redis.on('connect', () => readAtOnce(redis));
  return { redis, isOurs: true, reconnect: () => redis.disconnect(true), end: () => redis.disconnect() };
}

/**
 * What comes in goes to ioredis at once. It puts its listener in front of others, of which Node's streams take no notice:
 * they keep what comes for the next tick, as if nobody listened.
 */
function readAtOnce({ stream }: RedisInstance): void {
  const listener = (): void => {};
  stream?.on('data', listener);
  stream?.off('data', listener);
}

/**
 * Makes a client of our own. The only place that loads ioredis, and only once it is needed.
 *
 * Nothing is sent twice: without an offline queue and with no retries, a command whose connection is lost rejects
 * instead of being repeated, which would store a push a second time.
 *
 * @throws QueueError `E_DRIVER_MISSING` where ioredis is not installed.
 */
export async function openClient(settings: RedisSettings, logger: Logger): Promise<Client> {
  const ForgetfulRedis = forgetful(loadIoredis().Redis);
  const redis = new ForgetfulRedis({
    retryStrategy: (times: number) => reconnectDelayMs(times),
    // A connection that is given up is dropped, not waited for: the next command needs a new one at once.
    disconnectTimeout: 20,
    // A server that loads its data guesses how long it will take, and often too long.
    maxLoadingRetryTime: 500,
    ...settings.clientOptions,
    ...sendOnce,
  });
  // Without a listener ioredis prints by itself. Each verb tells its own caller what went wrong.
  redis.on('error', (error: unknown) => {
    logger.debug({ redis: settings.place }, error instanceof Error ? error.message : String(error));
  });
  return ownClient(redis);
}

/** Up to 2 s, and never the same for all the processes that lost the same server. */
function reconnectDelayMs(times: number): number {
  const most = Math.min(2000, 50 * 2 ** Math.min(times, 6));
  return Math.round(most / 2 + (Math.random() * most) / 2);
}

function loadIoredis(): { readonly Redis: typeof Redis } {
  try {
    // As what it is, CommonJS: imported it takes half as long again.
    return createRequire(import.meta.url)('ioredis');
  } catch (error) {
    throw explainPackage(error) ?? error;
  }
}

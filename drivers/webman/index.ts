import { connectionSettings, type Driver, QueueError } from '../../src/index.js';
import { Keys as RedisKeys } from '../redis/keys.js';
import { Session } from '../redis/session.js';
import { readSignals } from '../redis/signal-settings.js';
import { RedisSignals } from '../redis/signals.js';
import { think3 } from '../redis/wire.js';
import { RedisWorkers } from '../redis/workers.js';
import { WebmanConnector } from './connector.js';
import { Keys } from './keys.js';
import { readWebmanOptions, redisPart, type WebmanOptions } from './options.js';
import { webmanFormat } from './wire.js';

export { type WebmanOptions, webmanOptionNames } from './options.js';

/**
 * Jobs in Redis as webman's redis-queue keeps them, shared with its producers and consumers in PHP. A queue has one
 * consumer, so the name of a job is the name of its queue. Where PHP loses a job with its process, this keeps it under
 * a lease and gives it back. Needs Redis 6.2 or newer: one server, or one master behind Sentinel.
 *
 * @param options a URL such as `'redis://127.0.0.1:6379'`, or {@link WebmanOptions}.
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be.
 * Verbs reject with `E_DRIVER_MISSING` where ioredis is missing, and with `E_STORE_*`.
 */
export function webman(options: string | WebmanOptions): Driver {
  const given = typeof options === 'string' ? { url: options } : options;
  if (typeof given !== 'object' || given === null) {
    throw new QueueError('E_CONFIG', 'webman() needs a URL or options', {
      fix: "Write webman('redis://127.0.0.1:6379').",
    });
  }
  const settings = readWebmanOptions(given);
  const { redis } = settings;
  const keys = new Keys(redis.prefix);
  const signals = readSignals(redisPart(given), redis);
  // Beside those of a connection of the redis driver, and not among them: its queues are others.
  const signalPrefix = given.signals?.prefix ?? keys.own;
  return {
    driver: 'webman',
    settings: connectionSettings(given),
    wire: webmanFormat(settings),
    connect({ connection, logger, clock }) {
      const session = new Session(redis, logger);
      const { elsewhere } = signals;
      const workers = new RedisWorkers({
        session,
        keys: new RedisKeys(keys.own, think3.listOf).ofWorkers(),
        areWithJobs: elsewhere === undefined,
        onError: (error) => logger.debug({ err: error }, 'could not write to the list of workers'),
      });
      const signalStore = new RedisSignals({
        session: elsewhere === undefined ? session : new Session(elsewhere, logger, { mayEvict: true }),
        prefix: signalPrefix,
        areWithJobs: elsewhere === undefined,
        workers,
        onError: (error) => logger.warn({ err: error }, 'could not read the signals for workers'),
      });
      return new WebmanConnector({ connection, session, keys, signals: signalStore, workers, logger, clock });
    },
  };
}

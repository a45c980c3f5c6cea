import { connectionSettings, type Driver, QueueError } from '../../src/index.js';
import { RedisConnector } from './connector.js';
import { Keys } from './keys.js';
import { type RedisOptions, readOptions } from './options.js';
import { Session } from './session.js';
import { readSignals } from './signal-settings.js';
import { RedisSignals } from './signals.js';

export { type RedisOptions, redisOptionNames } from './options.js';
export type { IoredisOptions, RedisInstance } from './redis-types.js';

/**
 * Jobs in Redis, in think-queue 3's own layout and format. Jobs and given-up jobs live in the same
 * database, which any number of hosts can share; so do signals, unless `signals` says where else. Needs Redis 6.2 or newer, one server or one master behind Sentinel.
 *
 * @param options a URL such as `'redis://127.0.0.1:6379'`, or {@link RedisOptions}.
 * @throws QueueError `E_CONFIG`, `E_UNSUPPORTED`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be.
 * Verbs reject with `E_DRIVER_MISSING` where ioredis is missing, and with `E_STORE_*`.
 */
export function redis(options: string | RedisOptions): Driver {
  const given = typeof options === 'string' ? { url: options } : options;
  if (typeof given !== 'object' || given === null) {
    throw new QueueError('E_CONFIG', 'redis() needs a URL or options', {
      fix: "Write redis('redis://127.0.0.1:6379').",
    });
  }
  const settings = readOptions(given);
  const signals = readSignals(given, settings);
  return {
    driver: 'redis',
    settings: connectionSettings(given),
    connect: ({ logger }) => {
      const session = new Session(settings, logger);
      const { elsewhere, prefix } = signals;
      return new RedisConnector({
        session,
        keys: new Keys(settings.prefix),
        signals: new RedisSignals({
          // A cache may drop keys when it is full: a signal that vanished is none.
          session: elsewhere === undefined ? session : new Session(elsewhere, logger, { mayEvict: true }),
          prefix,
          areWithJobs: elsewhere === undefined,
          onError: (error) => logger.warn({ err: error }, 'could not read the signals for workers'),
        }),
        logger,
      });
    },
  };
}

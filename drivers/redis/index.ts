import {
  type Connector,
  connectionSettings,
  type Driver,
  type DriverContext,
  QueueError,
} from '../../src/index.js';
import { ClusterConnector } from './cluster-connector.js';
import { ClusterSession } from './cluster-session.js';
import { RedisConnector } from './connector.js';
import { Keys } from './keys.js';
import { type RedisOptions, type RedisSettings, readOptions } from './options.js';
import { Session } from './session.js';
import { readSignals, type SignalSettings } from './signal-settings.js';
import { RedisSignals } from './signals.js';
import { RedisWorkers } from './workers.js';

export { type RedisOptions, redisOptionNames } from './options.js';
export type { IoredisOptions, RedisInstance } from './redis-types.js';
export type { RedisWireName } from './wires.js';

/**
 * Jobs in Redis, in think-queue 3's own layout and format, or in that of another `wire`. Jobs and given-up jobs live in the same database, which
 * any number of hosts can share; so do signals, unless `signals` says where else. Needs Redis 6.2 or newer: one
 * server, one master behind Sentinel, or a Cluster.
 *
 * @param options a URL such as `'redis://127.0.0.1:6379'`, or {@link RedisOptions}.
 * @throws QueueError `E_CONFIG`, `E_DURATION` or `E_QUEUE_NAME` for options that cannot be.
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
    ...(settings.wire.format && { wire: settings.wire.format }),
    connect: (context) => connect(settings, signals, context),
  };
}

function connect(
  settings: RedisSettings,
  signals: SignalSettings,
  { logger, clock }: DriverContext,
): Connector {
  const { seeds, isCluster, prefix, wire } = settings;
  const session =
    seeds === undefined ? new Session(settings, logger) : new ClusterSession(settings, seeds, logger);
  const { elsewhere } = signals;
  const keys = new Keys(prefix, wire.listOf);
  const workers = new RedisWorkers({
    session,
    keys: keys.ofWorkers(),
    areWithJobs: !isCluster,
    onError: (error) => logger.debug({ err: error }, 'could not write to the list of workers'),
  });
  const parts = {
    wire,
    session,
    keys,
    workers,
    signals: new RedisSignals({
      // A cache may drop keys when it is full: a signal that vanished is none.
      session: elsewhere === undefined ? session : new Session(elsewhere, logger, { mayEvict: true }),
      prefix: signals.prefix,
      areWithJobs: elsewhere === undefined && !isCluster,
      workers,
      onError: (error) => logger.warn({ err: error }, 'could not read the signals for workers'),
    }),
    logger,
    clock,
  };
  return isCluster ? new ClusterConnector(parts) : new RedisConnector({ ...parts, isOneSlot: true });
}

import { checkOptionNames, isQueueError, QueueError } from '../../src/index.js';
import { type RedisOptions, type RedisSettings, readOptions } from './options.js';

/** Where signals to workers are, checked. */
export interface SignalSettings {
  readonly prefix: string;
  /** How to connect, where they are not on the jobs' own connection. */
  readonly elsewhere?: RedisSettings;
}

const names = ['prefix', 'db', 'url'];

/**
 * Checks `signals` of the options.
 *
 * @param jobs the options that the jobs' own connection has, checked.
 * @throws QueueError `E_CONFIG` naming the option.
 */
export function readSignals(options: RedisOptions, jobs: RedisSettings): SignalSettings {
  const { signals = {} } = options;
  if (typeof signals !== 'object' || signals === null || Array.isArray(signals)) {
    throw invalid('signals: is not an object', "Write { db: 3, prefix: 'app:' }.");
  }
  checkOptionNames(signals, names, 'signals');
  const { prefix = jobs.prefix, db, url } = signals;
  if (db !== undefined && url === undefined && options.client !== undefined) {
    throw invalid('signals.db: cannot be set beside client', 'Say with signals.url where it is.');
  }
  const { connectionName, commandTimeout } = options;
  // Without a URL it is the jobs' server, with the login and all that is set for it.
  const server = url === undefined ? options : { url, connectionName, commandTimeout };
  const chosen = db === undefined ? {} : { db };
  const elsewhere = under(() => readOptions({ ...server, ...chosen, prefix }));
  return db === undefined && url === undefined ? { prefix } : { prefix, elsewhere };
}

/** Names the option below `signals`: the rest was found good before. */
function under(read: () => RedisSettings): RedisSettings {
  try {
    return read();
  } catch (error) {
    if (!isQueueError(error)) throw error;
    throw new QueueError(error.code, `signals.${error.message}`, { fix: error.fix });
  }
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}

import type { TableNames } from '../../migrations/index.js';
import { checkOptionNames, connectionSettings, durationToMs, QueueError } from '../../src/index.js';
import { type DatabaseOptions, databaseOptionNames } from './options.js';
import type { ProfileSettings } from './profiles/apply-profile.js';
import { LocalTime } from './profiles/local-time.js';
import { profileNamed } from './profiles/profile.js';
import { readTables } from './tables.js';
import { readTarget, type Target } from './target.js';

/** Options checked and filled in. */
export interface DatabaseSettings {
  readonly target: Target;
  readonly tables: TableNames;
  readonly autoMigrate: boolean;
  readonly synchronous: 'normal' | 'full';
  /** Undefined: as each connection is seen to allow. */
  readonly prepare: boolean | undefined;
  readonly notify: boolean;
  readonly commandTimeoutMs: number;
  /** Absent for drover's own tables. */
  readonly php?: ProfileSettings;
}

const ofKnex = {
  names: ['client', 'connection', 'pool', 'filename', 'host', 'port', 'user', 'password', 'database'],
  fix: "Write database('postgres://user:password@host/database'), or database({ knex: { client, connection } }) for options of knex.",
};

/**
 * Checks the options of `database`. Opens nothing.
 *
 * @throws QueueError `E_CONFIG` naming the option, or `E_UNSUPPORTED` for a database without a dialect.
 */
export function readOptions(options: DatabaseOptions): DatabaseSettings {
  checkOptionNames(options, databaseOptionNames, 'database', {}, ofKnex);
  const target = readTarget(options.url, options.knex);
  const { autoMigrate = 'config' in target, synchronous = 'normal', prepare, notify = true } = options;
  for (const [key, value] of Object.entries({ autoMigrate, prepare, notify })) {
    if (typeof value !== 'boolean' && value !== undefined)
      throw invalid(`${key}: is not true or false`, 'Write true or false.');
  }
  if (synchronous !== 'normal' && synchronous !== 'full') {
    throw invalid("synchronous: is not 'normal' or 'full'", "Write 'normal' or 'full'.");
  }
  const commandTimeoutMs = durationToMs(options.commandTimeout ?? '10s', 'commandTimeout');
  if (commandTimeoutMs < 10) throw invalid('commandTimeout: is below 10 ms', "Write '10s'.");
  return {
    target,
    tables: readTables(options, target.kind),
    autoMigrate,
    synchronous,
    prepare,
    notify,
    commandTimeoutMs,
    ...profileOf(options),
  };
}

function profileOf(options: DatabaseOptions): Pick<DatabaseSettings, 'php'> {
  const { wire, timeZone } = options;
  if (wire === undefined && timeZone !== undefined) {
    throw invalid('timeZone: is about tables of PHP', 'Set wire as well, or leave timeZone out.');
  }
  if (wire === undefined) return {};
  const profile = profileNamed(wire);
  const retryAfterMs = connectionSettings(options).leaseMs;
  if (retryAfterMs % 1000 !== 0) {
    const fix = "Write the retry_after (expire) of PHP's connection, such as 60.";
    throw invalid(`lease: ${retryAfterMs} ms are no whole seconds, which is what PHP's tables hold`, fix);
  }
  return { php: { profile, retryAfterMs, time: new LocalTime(timeZone ?? 'UTC') } };
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}

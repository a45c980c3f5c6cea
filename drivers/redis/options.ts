import {
  type ConnectionOptions,
  checkOptionNames,
  connectionOptionNames,
  type Duration,
  durationToMs,
  QueueError,
} from '../../src/index.js';
import { placeOfCluster, readCluster } from './cluster-options.js';
import type { IoredisOptions, RedisInstance } from './redis-types.js';
import type { NodeAddress } from './slots.js';
import { type Address, addressOf } from './url.js';
import { type RedisWire, think3 } from './wire.js';
import { type RedisWireName, wires } from './wires.js';

/** Options of a Redis connection. One of `url`, `cluster`, `ioredis` and `client` says where the server is. */
export interface RedisOptions extends ConnectionOptions {
  /**
   * `redis://user:password@host:6379/0`, `rediss://` for TLS, or a unix socket as `/run/redis.sock` or
   * `unix:///run/redis.sock`.
   */
  readonly url?: string;
  /** Some nodes of a Redis Cluster, which tell where the others are. The port is 6379 where none is given. */
  readonly cluster?: readonly { readonly host: string; readonly port?: number }[];
  /** Options of ioredis instead of, or beside, a URL or `cluster`: `host`, `sentinels`, `family` and so on. */
  readonly ioredis?: IoredisOptions;
  /**
   * A ready ioredis client, `Redis` or `Cluster`. It stays yours: `close()` leaves it open, and its own settings
   * rule over reconnecting. With ioredis's defaults (`autoResendUnfulfilledCommands`, and `retryDelayOnFailover` of a
   * `Cluster`) a push whose reply was lost is sent again and may be stored twice.
   */
  readonly client?: RedisInstance;
  /** The ACL user; goes before the URL's. */
  readonly user?: string;
  /** Goes before the URL's. */
  readonly password?: string;
  /** The number of the database; goes before the URL's. Default 0. */
  readonly db?: number;
  /** True, or options of `tls.connect`. Default: as the URL says. */
  readonly tls?: boolean | object;
  /** Stands before every key. Default none, as think-queue has it. */
  readonly prefix?: string;
  /**
   * With whom the queues are shared: `'think-3'` (think-queue 3), `'think-1'` (think-queue 1 and 2) or `'laravel'`
   * (Laravel 10 to 13). Decides on keys, members and payloads. Default `'think-3'`.
   */
  readonly wire?: RedisWireName;
  /**
   * Where signals to workers (restart) are kept, each part as for the jobs unless given. PHP's are in its cache:
   * give that one's `prefix`, `db` or `url`. A `url` is on its own: its login, database and TLS are as it says.
   */
  readonly signals?: { readonly prefix?: string; readonly db?: number; readonly url?: string };
  /** Shown in `CLIENT LIST`. Default `drover`. */
  readonly connectionName?: string;
  /** How long one command may take, connecting included, before it counts as unavailable. Default `'5s'`. */
  readonly commandTimeout?: Duration;
}

/** Options checked and filled in. */
export interface RedisSettings {
  /** Names the server in errors, without a password. */
  readonly place: string;
  /** The application's own client. */
  readonly client?: RedisInstance;
  /** Nodes of a Cluster to connect to. */
  readonly seeds?: readonly NodeAddress[];
  /** True where the keys are spread over nodes: a Cluster, by `seeds` or by `client`. */
  readonly isCluster: boolean;
  /** How to make a client where there is none. */
  readonly clientOptions: IoredisOptions;
  readonly prefix: string;
  readonly wire: RedisWire;
  readonly commandTimeoutMs: number;
}

/** Names of the options of `redis`. */
export const redisOptionNames = [
  'url',
  'cluster',
  'ioredis',
  'client',
  'user',
  'password',
  'db',
  'tls',
  'prefix',
  'wire',
  'signals',
  'connectionName',
  'commandTimeout',
  ...connectionOptionNames,
] as const satisfies readonly (keyof RedisOptions)[];

/** What the driver sets itself: a push must not be sent twice behind its back. */
const ownKeys = [
  'autoResendUnfulfilledCommands',
  'enableOfflineQueue',
  'keyPrefix',
  'lazyConnect',
  'maxRetriesPerRequest',
];

const ofIoredis = {
  names: ['host', 'port', 'path', 'username', 'family', 'sentinels', 'name'],
  fix: "Write redis('redis://127.0.0.1:6379'), or redis({ ioredis: { host, port } }) for options of ioredis.",
};

/**
 * Checks the options of `redis`. Opens nothing.
 *
 * @throws QueueError `E_CONFIG` naming the option and never a password.
 */
export function readOptions(options: RedisOptions): RedisSettings {
  checkOptionNames(options, redisOptionNames, 'redis', {}, ofIoredis);
  const commandTimeoutMs = durationToMs(options.commandTimeout ?? '5s', 'commandTimeout');
  if (commandTimeoutMs < 10) throw invalid('commandTimeout: is below 10 ms', "Write '5s'.");
  const wire = readWire(options.wire);
  const shared = { prefix: readPrefix(options.prefix), wire, commandTimeoutMs };
  if (options.client !== undefined) {
    const client = readClient(options);
    if (client.isCluster) refuseCluster(wire);
    return { ...shared, ...client, clientOptions: {} };
  }
  const given = readIoredis(options.ioredis);
  const seeds = options.cluster === undefined ? undefined : readCluster(options);
  if (seeds !== undefined) refuseCluster(wire);
  if (seeds === undefined && options.url === undefined && options.ioredis === undefined) {
    const fix = "Set url, such as 'redis://127.0.0.1:6379', or cluster, ioredis, or client.";
    throw invalid('url: is missing', fix);
  }
  const address = {
    ...(options.url === undefined ? {} : addressOf(options.url)),
    ...given,
    ...readLogin(options),
  };
  const connectionName = text('connectionName', options.connectionName ?? 'drover');
  if (!/^[!-~]{1,120}$/.test(connectionName)) {
    throw invalid('connectionName: has blanks or other characters that Redis refuses', "Write 'drover'.");
  }
  return {
    ...shared,
    place: seeds === undefined ? placeOf(address) : placeOfCluster(seeds),
    ...(seeds !== undefined && { seeds }),
    isCluster: seeds !== undefined,
    clientOptions: { connectTimeout: commandTimeoutMs, ...address, connectionName },
  };
}

function readClient(options: RedisOptions): { client: RedisInstance; place: string; isCluster: boolean } {
  const other = ['url', 'cluster', 'ioredis', 'user', 'password', 'db', 'tls', 'connectionName'].filter(
    (key) => key in options,
  );
  if (other.length > 0) {
    throw invalid(
      `client: ${other.join(', ')} cannot be set beside it`,
      'Set them where the client is made.',
    );
  }
  const { client } = options;
  if (typeof client !== 'object' || client === null)
    throw invalid('client: is no client of ioredis', 'Give a Redis or a Cluster.');
  if (typeof client.callBuffer !== 'function') {
    throw invalid(
      'client: is no client of ioredis',
      'Give new Redis(…) or new Cluster(…) of the package ioredis.',
    );
  }
  return { client, place: "redis at the application's client", isCluster: client.isCluster === true };
}

function readIoredis(given: unknown): IoredisOptions & Address {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null)
    throw invalid('ioredis: is not an object', 'Write { host: … }.');
  const own = ownKeys.filter((key) => key in given);
  if (own.length > 0)
    throw invalid(`ioredis: ${own.join(', ')} is set by the driver`, 'Leave it out; see prefix.');
  return given as IoredisOptions & Address;
}

function readLogin({ user, password, db, tls }: RedisOptions): Address {
  if (db !== undefined && !(Number.isSafeInteger(db) && db >= 0)) {
    throw invalid('db: is not the number of a database', 'Write 0 or more.');
  }
  if (tls !== undefined && typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw invalid('tls: is neither true nor an object', 'Write true, or options of tls.connect.');
  }
  return {
    ...(user !== undefined && { username: text('user', user) }),
    ...(password !== undefined && { password: text('password', password) }),
    ...(db !== undefined && { db }),
    ...(tls !== undefined && tls !== false && { tls: tls === true ? {} : tls }),
  };
}

function readPrefix(prefix: unknown = ''): string {
  if (typeof prefix !== 'string' || !/^[^{}\s]{0,120}$/.test(prefix)) {
    throw invalid('prefix: is not a text without blanks and braces', "Write 'myapp:'.");
  }
  return prefix;
}

function readWire(name: unknown = think3.name): RedisWire {
  const wire = wires.find((one) => one.name === name);
  if (wire) return wire;
  const known = wires.map((one) => `'${one.name}'`).join(', ');
  throw invalid('wire: is none that is known', `Write one of ${known}.`);
}

/** Only the native keys of a queue are in one slot. */
function refuseCluster({ name }: RedisWire): void {
  if (name === think3.name) return;
  throw invalid(`wire: ${name} does not work on a Cluster`, 'Its keys have no hash tag. Use one server.');
}

function text(key: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(`${key}: is not a text`, 'Write a text.');
  return value;
}

function placeOf({ host = '127.0.0.1', port = 6379, path, db = 0, name, sentinels }: Address): string {
  if (sentinels !== undefined) return `redis master ${name} behind Sentinel`;
  return path === undefined ? `redis at ${host}:${port}/${db}` : `redis at ${path}`;
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}

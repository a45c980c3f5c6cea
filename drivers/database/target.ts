import { QueueError } from '../../src/index.js';
import { serverOfUrl } from './dialects/server-url.js';
import { inMemory } from './dialects/sqlite-file.js';
import { checkFilename, filenameOfUrl } from './dialects/sqlite-url.js';
import type { KnexConfig, KnexInstance } from './knex-types.js';

/** The kinds of database that have a dialect. */
export type DatabaseKind = 'sqlite' | 'mysql' | 'postgres';

/** Where the tables are: in a database that the driver opens, or behind an instance of the application. */
export type Target = {
  readonly kind: DatabaseKind;
  /** Names the database to people, free of secrets: the path of the file, or the server and its database. */
  readonly place: string;
  /** The SQLite file, where there is one and it is known. */
  readonly file?: string;
} & ({ readonly config: KnexConfig } | { readonly instance: KnexInstance });

const kinds: Readonly<Record<string, DatabaseKind>> = {
  'better-sqlite3': 'sqlite',
  mysql2: 'mysql',
  pg: 'postgres',
  postgres: 'postgres',
  postgresql: 'postgres',
};

/**
 * Reads the options `url` and `knex`, of which one must be given.
 *
 * @throws QueueError `E_CONFIG`, or `E_UNSUPPORTED` for a database or client without a dialect.
 */
export function readTarget(url: unknown, knex: unknown): Target {
  if ((url === undefined) === (knex === undefined)) {
    const what = url === undefined ? 'url: is missing' : 'url and knex: only one of them can be set';
    throw invalid(what, "Set url, such as 'sqlite:./queue.sqlite' or 'postgres://host/database', or knex.");
  }
  if (url !== undefined) {
    if (typeof url !== 'string') throw invalid('url: is not a text', "Write 'sqlite:./queue.sqlite'.");
    return targetOfUrl(url);
  }
  return isInstance(knex) ? targetOfInstance(knex) : targetOfConfig(knex);
}

function targetOfUrl(url: string): Target {
  const server = serverOfUrl(url);
  if (server === undefined) return targetOfFile(filenameOfUrl(url));
  const { place, client, connection } = server;
  return { kind: kindOf(client), place, config: { client, connection } };
}

function targetOfFile(filename: string): Target {
  const config = { client: 'better-sqlite3', connection: { filename } } as const;
  return { kind: 'sqlite', place: filename, ...fileOf(filename), config };
}

function targetOfConfig(given: unknown): Target {
  const config = given as KnexConfig | undefined | null;
  const kind = kindOf(config?.client);
  const connection = config?.connection;
  if (kind === 'sqlite') return targetOfFileConfig(config as KnexConfig);
  if (typeof connection !== 'string' && (typeof connection !== 'object' || connection === null)) {
    throw invalid('knex: connection is missing', 'Write connection: { host, user, password, database }.');
  }
  return { kind, place: placeOf(kind, connection), config: config as KnexConfig };
}

function targetOfFileConfig(config: KnexConfig): Target {
  const { connection } = config;
  const given = typeof connection === 'object' ? connection?.filename : undefined;
  if (typeof given !== 'string') {
    throw invalid(
      'knex: connection.filename is missing',
      "Write connection: { filename: './queue.sqlite' }.",
    );
  }
  const filename = checkFilename(given, 'knex.connection.filename');
  const absolute = { ...(connection as object), filename };
  return {
    kind: 'sqlite',
    place: filename,
    ...fileOf(filename),
    config: { ...config, connection: absolute },
  };
}

function targetOfInstance(instance: KnexInstance): Target {
  const kind = kindOfInstance(instance);
  if ('isTransaction' in instance && instance.isTransaction === true) {
    throw invalid(
      'knex: is a transaction, which ends before the queue does',
      'Give the Knex instance itself.',
    );
  }
  const settings = instance.client.connectionSettings;
  if (kind !== 'sqlite') return { kind, place: placeOf(kind, settings), instance };
  const filename = settings?.filename;
  const place = typeof filename === 'string' ? filename : 'the database';
  return { kind, place, ...fileOf(filename), instance };
}

/** Whether the target is a SQLite file, or one in memory, and nothing else is said of how to open it. */
export function isPlainFile(target: Target): boolean {
  const address = plainAddress(target);
  return target.kind === 'sqlite' && address !== undefined && Object.keys(address).join() === 'filename';
}

/** What the client's package takes, where a config says nothing else that knex would have to see to. */
export function plainAddress(target: Target): object | undefined {
  if (!('config' in target)) return undefined;
  const { client, connection, ...others } = target.config;
  // A URL is read by knex, in its own way.
  if (Object.keys(others).length > 0 || typeof connection !== 'object') return undefined;
  const { ssl } = connection;
  // A copy, as knex makes one: the clients write to what they are told of TLS.
  return typeof ssl === 'object' ? { ...connection, ssl: { ...ssl } } : connection;
}

/** SQLite keeps a database without a name, and one of this name, to the connection. */
function fileOf(filename: unknown): { readonly file?: string } {
  return typeof filename === 'string' && filename !== '' && filename !== inMemory ? { file: filename } : {};
}

/**
 * What a knex instance or transaction speaks.
 *
 * @throws QueueError `E_UNSUPPORTED`.
 */
export function kindOfInstance({ client }: KnexInstance): DatabaseKind {
  return kindOf(client.config?.client ?? client.driverName);
}

/** Host, port and database of a client's settings, and nothing else of them. */
function placeOf(kind: DatabaseKind, connection: unknown): string {
  try {
    if (typeof connection === 'string') {
      const { host, pathname } = new URL(connection);
      return `${kind} at ${host}${pathname}`;
    }
    const { host, port, database, socketPath } = connection as Record<string, unknown>;
    const server = [socketPath ?? host ?? 'localhost', port].filter((part) => part !== undefined).join(':');
    return `${kind} at ${server}/${String(database ?? '')}`;
  } catch {
    return `the ${kind} database`;
  }
}

function isInstance(knex: unknown): knex is KnexInstance {
  return typeof knex === 'function' && 'client' in knex;
}

function kindOf(client: unknown): DatabaseKind {
  const fix = "Write client: 'better-sqlite3', 'mysql2' or 'pg'.";
  if (client === undefined) throw invalid('knex: client is missing', fix);
  const kind = typeof client === 'string' && Object.hasOwn(kinds, client) ? kinds[client] : undefined;
  if (kind !== undefined) return kind;
  const named = typeof client === 'string' ? client : 'a class';
  throw new QueueError('E_UNSUPPORTED', `knex: client ${named}: the database driver does not speak it`, {
    fix,
  });
}

function invalid(what: string, fix: string): QueueError {
  return new QueueError('E_CONFIG', what, { fix });
}

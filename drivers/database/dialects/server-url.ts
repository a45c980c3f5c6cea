import { isIP } from 'node:net';
import { QueueError } from '../../../src/index.js';
import type { KnexConfig } from '../knex-types.js';

/** A server's address as its client takes it, and its name for people. */
export interface ServerAddress {
  /** Without user and password. */
  readonly place: string;
  readonly client: 'mysql2' | 'pg';
  readonly connection: Exclude<KnexConfig['connection'], string>;
}

const examples = {
  mysql2: "Write 'mysql://user:password@host:3306/database'.",
  pg: "Write 'postgres://user:password@host:5432/database'.",
} as const;

const schemes: Readonly<Record<string, 'mysql2' | 'pg'>> = {
  mysql: 'mysql2',
  mariadb: 'mysql2',
  postgres: 'pg',
  postgresql: 'pg',
};

/** TLS by the name that the servers' own tools have for it. Without a choice there is none, as with the clients. */
const tls: Readonly<Record<string, true | false>> = {
  disable: false,
  disabled: false,
  require: true,
  required: true,
  verify_ca: true,
  'verify-ca': true,
  verify_identity: true,
  'verify-full': true,
};

/**
 * Reads `mysql:`, `mariadb:`, `postgres:` and `postgresql:` URLs; undefined for any other scheme. Known after `?`:
 * `sslmode` or `ssl-mode`, which check the server's certificate whichever they ask for, and `socket`, the path of a
 * unix socket (for PostgreSQL its folder).
 *
 * @throws QueueError `E_CONFIG`, which never shows the URL: it may hold a password.
 */
export function serverOfUrl(url: string): ServerAddress | undefined {
  const [, scheme = ''] = /^([a-z]+):/i.exec(url) ?? [];
  const client = schemes[scheme.toLowerCase()];
  if (client === undefined) return undefined;
  const fix = examples[client];
  if (!URL.canParse(url)) throw new QueueError('E_CONFIG', 'url: cannot be read', { fix });
  const parsed = new URL(url);
  const database = decoded(parsed.pathname.slice(1), fix);
  if (database === '' || database.includes('/')) {
    throw new QueueError('E_CONFIG', 'url: names no database', { fix });
  }
  const { socket, ssl } = readParameters(parsed.searchParams);
  const host = parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = Number(parsed.port) || (client === 'pg' ? 5432 : 3306);
  const login = {
    ...(parsed.username !== '' && { user: decoded(parsed.username, fix) }),
    ...(parsed.password !== '' && { password: decoded(parsed.password, fix) }),
  };
  const address = socket === undefined ? { host, port } : addressOfSocket(client, socket, port);
  return {
    client,
    place: `${client === 'pg' ? 'postgres' : 'mysql'} at ${socket ?? `${host}:${port}`}/${database}`,
    connection: {
      ...address,
      ...login,
      database,
      ...(ssl && { ssl: tlsOf(client, host) }),
      ...(client === 'pg' && { keepAlive: true }),
    },
  };
}

/**
 * mysql2 takes a certificate of any host unless told otherwise. Where the host is an address it would compare the
 * certificate with `localhost`, so that none fits.
 */
function tlsOf(client: 'mysql2' | 'pg', host: string): object {
  return client === 'mysql2' && isIP(host) === 0 ? { verifyIdentity: true } : {};
}

function addressOfSocket(client: 'mysql2' | 'pg', socket: string, port: number): object {
  return client === 'pg' ? { host: socket, port } : { socketPath: socket };
}

function readParameters(parameters: URLSearchParams): { socket?: string; ssl: boolean } {
  let socket: string | undefined;
  let ssl = false;
  for (const [name, value] of parameters) {
    const mode = /^ssl-?mode$/.test(name) ? tls[value.toLowerCase()] : undefined;
    if (name === 'socket' && value.startsWith('/')) socket = value;
    else if (mode !== undefined) ssl = mode;
    else {
      // The value may be a secret.
      throw new QueueError(
        'E_CONFIG',
        `url: the parameter ${name} has no meaning here, or not with that value`,
        {
          fix: 'Write sslmode=require or socket=/path; for anything else give a knex configuration as knex.',
        },
      );
    }
  }
  return socket === undefined ? { ssl } : { socket, ssl };
}

function decoded(text: string, fix: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new QueueError('E_CONFIG', 'url: a % in it is not followed by two hex digits', { fix });
  }
}

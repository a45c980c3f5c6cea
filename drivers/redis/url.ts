import { QueueError } from '../../src/index.js';

/** Where a Redis server is, as its client takes it. */
export interface Address {
  readonly host?: string;
  readonly port?: number;
  /** A unix socket. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
  /** Sentinels that know where the master of that name is. */
  readonly sentinels?: unknown;
  readonly name?: unknown;
}

const fix = "Write 'redis://user:password@host:6379/0', 'rediss://…' for TLS, or the path of a unix socket.";

/**
 * Reads `redis://`, `rediss://` and `unix:` URLs and absolute paths of unix sockets.
 *
 * @throws QueueError `E_CONFIG`, which never shows the URL: it may hold a password.
 */
export function addressOf(url: unknown): Address {
  if (typeof url !== 'string' || url === '') throw new QueueError('E_CONFIG', 'url: is not a text', { fix });
  if (url.startsWith('/')) return { path: url };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new QueueError('E_CONFIG', 'url: cannot be read', { fix });
  const { protocol, pathname, search } = parsed;
  if (!['redis:', 'rediss:', 'unix:'].includes(protocol)) {
    throw new QueueError('E_CONFIG', `url: ${protocol} is no protocol of Redis`, { fix });
  }
  if (search !== '') {
    throw new QueueError('E_CONFIG', 'url: parameters after ? are not read', { fix: 'Set them as options.' });
  }
  const login = loginOf(parsed);
  if (protocol === 'unix:') return { path: decoded(pathname), ...login };
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...login,
    ...databaseOf(pathname),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}

function loginOf({ username, password }: URL): Address {
  return {
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
  };
}

function databaseOf(pathname: string): Address {
  if (pathname === '' || pathname === '/') return {};
  const [, digits] = /^\/(\d{1,9})$/.exec(pathname) ?? [];
  if (digits === undefined)
    throw new QueueError('E_CONFIG', 'url: the path is not the number of a database', { fix });
  return { db: Number(digits) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new QueueError('E_CONFIG', 'url: a % in it is not followed by two hex digits', { fix });
  }
}

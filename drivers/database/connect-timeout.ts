import type { KnexConfig } from './knex-types.js';

/**
 * The configuration of a server with connections that are given up where they are not ready after so many ms, unless it
 * says so itself. Those that nobody answers would take up the pool for 10 to 30 s, and calls would wait that much longer
 * than the server is away.
 */
export function withConnectTimeout(config: KnexConfig, ms: number): KnexConfig {
  const { client, connection } = config;
  if (client === 'better-sqlite3') return config;
  const pool = { createTimeoutMillis: ms, ...config.pool };
  // A URL is the client's to read: the pool alone gives it up.
  if (typeof connection === 'string') return { ...config, pool };
  const option = client === 'mysql2' ? 'connectTimeout' : 'connectionTimeoutMillis';
  return { ...config, pool, connection: { [option]: ms, ...connection } };
}

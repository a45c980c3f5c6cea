import type { SchemaKnex } from '../../migrations/index.js';

/**
 * A ready Knex instance, described by what the driver uses of it, so that projects without knex can
 * type-check against drover.
 */
export interface KnexInstance extends SchemaKnex {
  /** knex's own client, whose pool lends the connections. */
  // biome-ignore lint/suspicious/noExplicitAny: knex says no more about it.
  readonly client: any;
  destroy(): Promise<void>;
}

/** A knex configuration. On SQLite the pool's size is set by the driver; elsewhere it is `{ min: 0, max: 5 }` unless told. */
export interface KnexConfig {
  readonly client: 'better-sqlite3' | 'mysql2' | 'pg' | 'postgres' | 'postgresql';
  /** `{ filename }` for better-sqlite3; for servers what their client takes: a URL, or host, user and so on. */
  readonly connection: string | { readonly [option: string]: unknown };
  /** knex's pool options: `afterCreate` runs after the driver's own. */
  readonly pool?: object;
  readonly log?: object;
  readonly debug?: boolean;
  readonly asyncStackTraces?: boolean;
  readonly acquireConnectionTimeout?: number;
  readonly useNullAsDefault?: boolean;
}

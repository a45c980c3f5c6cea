import { createRequire } from 'node:module';
import type { knex } from 'knex';
import type { SchemaKnex } from '../../migrations/index.js';
import { type ClientPackage, explainPackage } from './errors.js';
import type { KnexConfig } from './knex-types.js';

/**
 * A knex that only writes statements: it connects to nothing, and needs no package but knex.
 *
 * @throws QueueError `E_DRIVER_MISSING` where knex is not installed.
 */
export function schemaKnex(client: ClientPackage): SchemaKnex {
  return loadKnex({ client })({ client, useNullAsDefault: true });
}

/**
 * Loads knex, which takes longer than all else that a worker process loads: only once it is needed.
 *
 * @throws QueueError `E_DRIVER_MISSING` where it is not installed.
 */
export function loadKnex({ client }: Pick<KnexConfig, 'client'>): typeof knex {
  try {
    // As what it is, CommonJS: imported it takes half as long again.
    const loaded: { readonly knex: typeof knex } = createRequire(import.meta.url)('knex');
    return loaded.knex;
  } catch (error) {
    const wanted: ClientPackage = client === 'postgres' || client === 'postgresql' ? 'pg' : client;
    throw explainPackage(error, wanted) ?? error;
  }
}

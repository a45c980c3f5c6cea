import { createRequire } from 'node:module';
import type * as pg from 'pg';

let loaded: typeof pg | undefined;

/** Loads pg, once. */
export function loadPg(): typeof pg {
  // As what it is, CommonJS: imported it takes half as long again.
  loaded ??= withoutResponse((): typeof pg => createRequire(import.meta.url)('pg'));
  return loaded;
}

/**
 * Calls `load` with no `Response` about, where Node has not loaded it yet. pg asks by it whether it runs at Cloudflare,
 * for which Node 20 loads its `fetch`, HTTP/2 and all: as much work as pg itself. Nobody else runs meanwhile who could
 * miss it.
 */
function withoutResponse<T>(load: () => T): T {
  const response = Object.getOwnPropertyDescriptor(globalThis, 'Response');
  if (response?.get === undefined) return load();
  Reflect.deleteProperty(globalThis, 'Response');
  try {
    return load();
  } finally {
    Object.defineProperty(globalThis, 'Response', response);
  }
}

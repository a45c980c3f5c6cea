import { createRequire } from 'node:module';

let loaded: typeof import('node:crypto') | undefined;

/** `node:crypto`, loaded when it is first needed: that takes 2 ms, and a worker can start its first job without it. */
export function loadCrypto(): typeof import('node:crypto') {
  loaded ??= createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto');
  return loaded;
}

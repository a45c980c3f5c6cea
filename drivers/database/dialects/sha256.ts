import { createRequire } from 'node:module';

/** The digest of a text. `node:crypto` is loaded here only, as it takes 2 ms, which workers on SQLite can do without. */
export function sha256(text: string): Buffer {
  const crypto: typeof import('node:crypto') = createRequire(import.meta.url)('node:crypto');
  return crypto.createHash('sha256').update(text).digest();
}

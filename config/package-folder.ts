import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** This package's own folder. Code cannot tell it from where it is itself: the build gathers modules in other files. */
export function packageFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('drover/package.json'));
}

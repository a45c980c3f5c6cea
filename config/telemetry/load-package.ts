import { createRequire } from 'node:module';
import { QueueError } from '../../src/index.js';

/**
 * Loads an optional package, once it is needed.
 *
 * @param wants those that need it, for the error.
 * @throws QueueError `E_DRIVER_MISSING` where it is not installed.
 */
export function loadPackage<T>(name: string, major: number, wants: string): T {
  try {
    return createRequire(import.meta.url)(name) as T;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause;
    throw new QueueError('E_DRIVER_MISSING', `the package ${name}, which ${wants} need, is not installed`, {
      fix: `Run: npm install ${name}@${major}`,
      cause,
    });
  }
}

import { join } from 'node:path';
import { packageFolder } from '../config/package-folder.js';

/** The path of this program, for node to run it in another process. */
export function ownProgram(): string {
  return join(packageFolder(), 'dist/cli/bin.js');
}

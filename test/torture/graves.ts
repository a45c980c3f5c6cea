import { join } from 'node:path';
import { database } from '../../drivers/database/index.js';
import type { Driver } from '../../src/index.js';
import { SharedFile } from './file-store.js';
import type { Breakage } from './store.js';

/** A store of failed jobs beside that of the jobs: an SQLite file. */
export interface Graves {
  /** For the config of the project. */
  readonly url: string;
  readonly driver: Driver;
  /** Nothing can be recorded. */
  readonly away: Breakage;
  isFree(): boolean;
  stop(): void;
}

/** Makes it in the folder of the project. */
export function digGraves(folder: string): Graves {
  const file = join(folder, 'graves.sqlite');
  const shared = new SharedFile(file);
  return {
    url: `sqlite:${file}`,
    driver: database(`sqlite:${file}`),
    away: { fault: 'graves', what: 'failed jobs could not be recorded', last: (ms) => shared.lockFor(ms) },
    isFree: () => shared.isFree(),
    stop: () => void shared.raw.close(),
  };
}

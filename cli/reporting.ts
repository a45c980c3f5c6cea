import { reportError } from './error-report.js';
import { exitCodeOfError } from './exit-codes.js';
import type { Io } from './io.js';

/** Answers the exit code of what runs, or tells its error on stderr and answers the code for that. Never rejects. */
export async function reporting(
  io: Pick<Io, 'stderr' | 'env'>,
  json: boolean,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    reportError(error, io, json);
    return exitCodeOfError(error);
  }
}

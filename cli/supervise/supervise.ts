import { constants } from 'node:os';
import { exitCodeOfError } from '../exit-codes.js';
import { createLogger } from '../logger.js';
import { createOutput } from '../output.js';
import { pauseOnSignals } from '../signals.js';
import { Supervisor } from './supervisor.js';
import type { SupervisorWords } from './words.js';

/** Runs `queue:work` as the supervisor of worker processes, and exits with its code. */
export async function supervise(
  words: readonly string[],
  { workers, json }: SupervisorWords,
): Promise<never> {
  const io = { stdout: process.stdout, stderr: process.stderr, env: process.env };
  const logger = createLogger(io, json, words.includes('--quiet'));
  const output = createOutput(io, json);
  process.stdout.on('error', () => {}); // its workers notice as well, and tell
  process.stderr.on('error', () => {});
  const event = (name: string, fields: object) => {
    if (json) output.object({ time: new Date().toISOString(), event: name, ...fields });
  };
  const supervisor = new Supervisor({ words, workers, logger, event });
  obeySignals(supervisor);
  try {
    process.exit(await supervisor.run());
  } catch (error) {
    const { reportError } = await import('../error-report.js');
    reportError(error, io, json);
    supervisor.killAll();
    process.exit(exitCodeOfError(error));
  }
}

function obeySignals(supervisor: Supervisor): void {
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      count += 1;
      if (count === 1) return supervisor.stop(name);
      supervisor.killAll();
      process.exit(128 + constants.signals[name]);
    });
  }
  pauseOnSignals(supervisor);
}

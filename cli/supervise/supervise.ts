import { constants } from 'node:os';
import { exitCodeOfError } from '../exit-codes.js';
import { createLogger, type LogMarks } from '../logger.js';
import { createOutput } from '../output.js';
import { pauseOnSignals } from '../signals.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';
import type { SupervisorWords } from './words.js';

/** Runs `queue:work` as the supervisor of worker processes, and exits with its code. */
export function supervise(words: readonly string[], { workers, json }: SupervisorWords): Promise<never> {
  return runToExit(
    new Supervisor({ words, workers, ...tellerFor(json, { quiet: words.includes('--quiet') }) }),
    json,
  );
}

/**
 * How a supervisor of this process tells what it does.
 *
 * @param marks of its lines.
 */
export function tellerFor(json: boolean, marks: LogMarks = {}): Pick<SupervisorOptions, 'logger' | 'event'> {
  const output = createOutput(process, json, marks.group);
  const event = (name: string, fields: object) => {
    if (json) output.object({ time: new Date().toISOString(), event: name, ...fields });
  };
  return { logger: createLogger(process, json, marks), event };
}

/** Runs a supervisor as what this process is for: it obeys its signals, and the process exits with its code. */
export async function runToExit(
  supervisor: Pick<Supervisor, 'run' | 'stop' | 'killAll' | 'pause' | 'resume'>,
  json: boolean,
): Promise<never> {
  process.stdout.on('error', () => {}); // its workers notice as well, and tell
  process.stderr.on('error', () => {});
  obeySignals(supervisor);
  try {
    process.exit(await supervisor.run());
  } catch (error) {
    const { reportError } = await import('../error-report.js');
    reportError(error, process, json);
    supervisor.killAll();
    process.exit(exitCodeOfError(error));
  }
}

function obeySignals(supervisor: Omit<Parameters<typeof runToExit>[0], 'run'>): void {
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

import { constants } from 'node:os';
import type { Io } from '../io.js';
import { createLogger, type LogMarks } from '../logger.js';
import { createOutput } from '../output.js';
import { pauseOnSignals } from '../signals.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';

/** Runs `queue:work` as the supervisor of worker processes; answers its exit code. */
export function supervise(
  work: Pick<SupervisorOptions, 'words' | 'values' | 'workers' | 'first'>,
  io: Io,
): Promise<number> {
  const { json, quiet } = work.values;
  const teller = tellerFor(io, json === true, { quiet: quiet === true });
  return runObeying(new Supervisor({ ...work, ...teller }), io);
}

/**
 * How a supervisor tells what it does.
 *
 * @param marks of its lines.
 */
export function tellerFor(
  io: Io,
  json: boolean,
  marks: LogMarks = {},
): Pick<SupervisorOptions, 'logger' | 'event'> {
  const output = createOutput(io, json, marks.group);
  const event = (name: string, fields: object) => {
    if (json) output.object({ time: new Date().toISOString(), event: name, ...fields });
  };
  return { logger: createLogger(io, json, marks), event };
}

/** Runs a supervisor that obeys the signals of this process; answers its exit code. */
export async function runObeying(
  supervisor: Pick<Supervisor, 'run' | 'stop' | 'killAll' | 'pause' | 'resume'>,
  io: Io,
): Promise<number> {
  obeySignals(supervisor, io);
  try {
    return await supervisor.run();
  } catch (error) {
    supervisor.killAll();
    throw error;
  }
}

function obeySignals(supervisor: Omit<Parameters<typeof runObeying>[0], 'run'>, io: Io): void {
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      count += 1;
      if (count === 1) return supervisor.stop(name);
      supervisor.killAll();
      io.exit(128 + constants.signals[name]);
    });
  }
  pauseOnSignals(supervisor);
}

import { constants } from 'node:os';
import type { Io } from '../io.js';
import { createLogger } from '../logger.js';
import { createOutput } from '../output.js';
import { pauseOnSignals } from '../signals.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';

/** Runs `queue:work` as the supervisor of worker processes; answers its exit code. */
export async function supervise(
  work: Pick<SupervisorOptions, 'words' | 'values' | 'workers' | 'first'>,
  io: Io,
): Promise<number> {
  const json = work.values.json === true;
  const logger = createLogger(io, json);
  const output = createOutput(io, json);
  const event = (name: string, fields: object) => {
    if (json) output.object({ time: new Date().toISOString(), event: name, ...fields });
  };
  const supervisor = new Supervisor({ ...work, logger, event });
  obeySignals(supervisor, io);
  try {
    return await supervisor.run();
  } catch (error) {
    supervisor.killAll();
    throw error;
  }
}

function obeySignals(supervisor: Supervisor, io: Io): void {
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

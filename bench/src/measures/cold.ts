import { coldStartMs, programs } from '../cold/start.js';
import { type Findings, inCrew, pushed, type Setting } from './setting.js';

/** Pushes a job, and takes the time from the start of the command to its handler. */
export async function cold({ entry, server }: Setting): Promise<Findings> {
  const program = programs[entry.name];
  if (program === undefined) return { figures: {} };
  const place = await server.emptyPlace();
  const task = { contender: 'drover', place, role: 'push', jobs: 1 } as const;
  await inCrew(entry, undefined, (crew) => pushed(crew, task));
  return { figures: { 'cold start to first job, ms': await coldStartMs(program(place), place) } };
}

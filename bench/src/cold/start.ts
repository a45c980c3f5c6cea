import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Place } from '../contender.js';
import { nowUs } from '../contender.js';
import type { Task } from '../task.js';
import { environmentOf } from '../task.js';
import { marker } from './marker.js';

const drover = fileURLToPath(new URL('../../../dist/cli/bin.cjs', import.meta.url));
const floor = fileURLToPath(new URL('floor.js', import.meta.url));

/** The programs whose start is measured, by contender. */
export const programs: Readonly<Record<string, (place: Place) => readonly string[]>> = {
  /** As a service runs it: a supervisor and a worker process, with a config and a job file in JavaScript. */
  'drover-cli': (place) => [drover, 'queue:work', '--config', configOf(place)],
  /** A process that starts another, which loads the client of the store, connects and makes one round trip. */
  'raw-1': () => [floor],
  /** The same with knex over the client. */
  'raw-knex-1': () => [floor, 'knex'],
};

function configOf({ store }: Place): string {
  const driver = store === 'redis' ? 'redis' : 'database';
  return fileURLToPath(new URL(`config-${driver}.js`, import.meta.url));
}

/** Milliseconds from the start of a program to the first job, which says so. */
export async function coldStartMs(program: readonly string[], place: Place): Promise<number> {
  const task: Task = { contender: 'drover', place, role: 'work', jobs: 1 };
  const startUs = nowUs();
  const child = spawn(process.execPath, program, {
    env: environmentOf(task),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  let tookUs: number | undefined;
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    if (line !== marker) continue;
    tookUs ??= nowUs() - startUs;
    child.kill('SIGTERM');
  }
  await exited;
  if (tookUs === undefined) throw new Error(`it ended without its first job: ${said.join('\n')}`);
  return tookUs / 1000;
}

import type { Command } from './command.js';
import { exitCodes } from './exit-codes.js';

const commonExits: NonNullable<Command['exits']> = [
  [exitCodes.done, 'done'],
  [exitCodes.error, 'an error'],
  [exitCodes.usage, 'bad usage or config'],
  [exitCodes.store, 'the store cannot be reached, read or written'],
];

/** What stands below the flags in the help of a command: notes and exit codes. */
export function helpEnd(command: Command): string {
  const exits = new Map([...commonExits, ...(command.exits ?? [])]);
  const lines = [...exits]
    .sort(([a], [b]) => a - b)
    .map(([code, says]) => `  ${String(code).padEnd(4)} ${says}`);
  const notes = command.notes === undefined ? [] : [command.notes, ''];
  return [...notes, 'Exit codes:', ...lines].join('\n');
}

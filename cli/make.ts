import type { Generated, GenerateOptions } from '../config/generate.js';
import { loadConfig } from '../config/load-config.js';
import type { Args, Flags } from './args.js';
import { usage } from './args.js';
import type { Io } from './io.js';
import { createOutput } from './output.js';
import { plain } from './plain-text.js';

/** The flags of the commands that write a file. */
export const makeFlags: Flags = {
  ts: { kind: 'switch', says: 'Write TypeScript', without: 'as the project is written' },
  js: { kind: 'switch', says: 'Write JavaScript' },
};

/**
 * Writes one file and says where, and what to do next.
 *
 * @param next lines to show, by the name of what was made.
 */
export async function make(
  args: Args,
  io: Io,
  generate: (options: GenerateOptions) => Promise<Generated>,
  next: (made: Generated, isListed: boolean) => readonly string[],
): Promise<number> {
  if (args.isOn('ts') && args.isOn('js')) throw usage('--ts and --js exclude each other');
  const output = createOutput(io, args.isOn('json'));
  const { config, directory } = await loadConfig({ file: args.text('config'), cwd: io.cwd, env: io.env });
  const made = await generate({
    name: args.text('name') ?? '',
    directory,
    config,
    typescript: args.isOn('ts') ? true : args.isOn('js') ? false : undefined,
  });
  if (output.json) {
    output.object({ ...made });
    return 0;
  }
  output.line(`${output.colors.green('wrote')} ${plain(made.file)}`);
  output.line('');
  output.line('Next:');
  for (const line of next(made, config.consumers !== undefined)) output.line(`  ${line}`);
  return 0;
}

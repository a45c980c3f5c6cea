import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeStarterProject } from '../../config/index.js';
import { usage } from '../args.js';
import type { Command } from '../command.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';

/** `init`: a config and a first job, ready to run. */
export const command: Command = {
  flags: {
    ts: { kind: 'switch', says: 'Write TypeScript', without: 'where the folder has a tsconfig.json' },
    js: { kind: 'switch', says: 'Write JavaScript' },
    force: { kind: 'switch', says: 'Overwrite files that are there' },
  },
  examples: [['drover init', 'Then push a job and work it, as it says']],
  async run(args, io) {
    if (args.isOn('ts') && args.isOn('js')) throw usage('--ts and --js exclude each other');
    const output = createOutput(io, args.isOn('json'));
    const typescript = args.isOn('ts') ? true : args.isOn('js') ? false : undefined;
    const files = await writeStarterProject(io.cwd, { typescript, force: args.isOn('force') });
    if (output.json) {
      output.object({ files });
      return 0;
    }
    for (const file of files) output.line(`${output.colors.green('wrote')} ${plain(file)}`);
    output.line('');
    output.line('Next:');
    if (files.some((file) => /ts$/.test(file)) && !hasNodeTypes(io.cwd))
      output.line('  npm install -D @types/node  # to check types, with "types": ["node"] in tsconfig.json');
    output.line(`  npx drover queue:push hello --data '{"name":"Ada"}'`);
    output.line('  npx drover queue:work --stop-when-empty');
    return 0;
  },
};

/** True where a type check of the project finds the types of `process`, which the config reads. */
function hasNodeTypes(folder: string): boolean {
  try {
    createRequire(join(folder, 'any.js')).resolve('@types/node/package.json');
    return true;
  } catch {
    return false;
  }
}

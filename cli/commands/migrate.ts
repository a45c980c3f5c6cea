import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';
import { printSql } from '../sql-text.js';

/** `queue:migrate`: the store's schema. */
export const command: Command = {
  flags: { 'dry-run': { kind: 'switch', says: 'Print the SQL that would be run, and run nothing' } },
  positionals: { connection: 'The same as --connection' },
  examples: [
    ['drover queue:migrate', 'Safe to repeat: what is applied already is left alone'],
    ['drover queue:migrate --dry-run', 'The SQL, for somebody else to run'],
  ],
  run: (args, io) =>
    withContext(args, io, { jobs: false, startsStore: true }, async ({ queue }) => {
      const connection = queue.connectionName;
      if (args.isOn('dry-run')) return printSql(createOutput(io, args.isOn('json')), await queue.schemaSql());
      const applied = await queue.migrate();
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ connection, applied });
      else if (applied.length === 0) output.line(`the schema of connection ${plain(connection)} is current`);
      else for (const step of applied) output.line(`${output.colors.green('applied')} ${plain(step)}`);
      return 0;
    }),
};

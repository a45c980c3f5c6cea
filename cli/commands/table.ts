import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { createOutput } from '../output.js';
import { printSql } from '../sql-text.js';

/** `queue:table`: the schema as SQL. */
export const command: Command = {
  flags: {
    dialect: { kind: 'text', says: 'mysql, postgres or sqlite', without: "the connection's own" },
  },
  positionals: { connection: 'The same as --connection' },
  examples: [
    ['drover queue:table > queue.sql', 'The tables of the connection, with the names that its options give'],
    ['drover queue:table --dialect postgres', 'For another database'],
  ],
  notes: 'Nothing is connected to. queue:migrate runs the same statements.',
  run: (args, io) =>
    withContext(args, io, { jobs: false, startsStore: true }, async ({ queue }) => {
      const dialect = args.text('dialect');
      const statements = await queue.schemaSql({
        whole: true,
        ...(dialect === undefined ? {} : { dialect }),
      });
      return printSql(createOutput(io, args.isOn('json')), statements);
    }),
};

import { isPaused } from '../../src/index.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';
import { tableText } from '../table.js';

/** `queue:size`: how many jobs there are. */
export const command: Command = {
  flags: {},
  positionals: { queue: "Queues to count; the connection's own where none is named" },
  examples: [
    ['drover queue:size', "The connection's own queue"],
    ['drover queue:size high default --json', 'One object for each queue'],
  ],
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue, config }) => {
      const connection = queue.connectionName;
      const own = config.connections[connection]?.settings.queue ?? 'default';
      const named = args.words('queue');
      const names = named.length > 0 ? named : [own];
      const pauses = await queue.paused();
      const sizes = await Promise.all(
        names.map(async (name) => ({
          connection,
          queue: name,
          ...(await queue.size(name)),
          paused: isPaused(pauses, name),
        })),
      );
      const output = createOutput(io, args.isOn('json'));
      if (output.json) {
        for (const size of sizes) output.object(size);
        return 0;
      }
      const isAnyPaused = sizes.some(({ paused }) => paused);
      const rows = sizes.map(({ queue: name, ready, delayed, reserved, paused }) => [
        plain(name),
        ...[ready, delayed, reserved].map(String),
        ...(isAnyPaused ? [paused ? 'paused' : ''] : []),
      ]);
      const heading = ['queue', 'ready', 'delayed', 'reserved', ...(isAnyPaused ? ['state'] : [])];
      output.line(tableText(heading, rows, output.colors, { numbers: [1, 2, 3] }));
      return 0;
    }),
};

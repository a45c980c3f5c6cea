import type { QueueSize } from '../../src/index.js';
import type { Command } from '../command.js';
import { confirmed } from '../confirm.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';

/** `queue:clear`: removes jobs that wait. */
export const command: Command = {
  flags: {
    reserved: {
      kind: 'switch',
      says: 'Also remove the jobs that run now; their workers find their lease lost',
    },
    force: { kind: 'switch', says: 'Do not ask; needed where there is no terminal' },
  },
  positionals: { queue: "The queue to clear; the connection's own where none is named" },
  examples: [
    ['drover queue:clear', "Remove the ready and delayed jobs of the connection's own queue"],
    ['drover queue:clear mail --force', 'In a script'],
  ],
  exits: [[exitCodes.error, 'an error, or the question was answered with no']],
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue, config }) => {
      const connection = queue.connectionName;
      const name = args.text('queue') ?? config.connections[connection]?.settings.queue ?? 'default';
      const reserved = args.isOn('reserved');
      const place = `queue ${plain(name)} of connection ${plain(connection)}`;
      if (!args.isOn('force')) {
        const there = countsText(await queue.size(name), reserved);
        if (!(await confirmed(args, io, `Remove ${there} jobs of ${place}?`))) {
          io.stderr.write('nothing was removed\n');
          return exitCodes.error;
        }
      }
      const removed = await queue.clear(name, { reserved });
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ connection, queue: name, removed });
      else output.line(`removed ${countsText(removed, reserved)} jobs of ${place}`);
      return 0;
    }),
};

function countsText({ ready, delayed, reserved }: QueueSize, withReserved: boolean): string {
  const counts = [`${ready} ready`, `${delayed} delayed`];
  return withReserved ? `${counts.join(', ')} and ${reserved} reserved` : counts.join(' and ');
}

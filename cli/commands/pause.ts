import type { Pauses, Queue } from '../../src/index.js';
import type { Args } from '../args.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import type { Io } from '../io.js';
import { createOutput } from '../output.js';
import { pausesObject, pausesText } from '../paused-text.js';
import { plain } from '../plain-text.js';

/** `queue:pause`: workers take no jobs of some queues, or of a connection. */
export const command: Command = {
  flags: {},
  positionals: { queue: 'Queues to pause; the whole connection where none is named' },
  examples: [
    ['drover queue:pause mail', 'The mail server is away: other queues are worked on'],
    ['drover queue:pause', 'No worker of the connection takes a job until queue:resume'],
  ],
  notes:
    'All workers of the connection, on whatever host, heed it within about a second, and those that start later. ' +
    'Running jobs end, pushes are stored. What is paused stays so until queue:resume.',
  run: (args, io) => changePauses(args, io, (queue, name) => queue.pause(name)),
};

/** Changes the pauses that the words name, then prints what is paused. */
export function changePauses(
  args: Args,
  io: Io,
  change: (queue: Queue, name?: string) => Promise<Pauses>,
): Promise<number> {
  return withContext(args, io, { jobs: false }, async ({ queue }) => {
    const named = args.words('queue');
    let pauses = await change(queue, named[0]);
    for (const name of named.slice(1)) pauses = await change(queue, name);
    const output = createOutput(io, args.isOn('json'));
    const connection = queue.connectionName;
    if (output.json) output.object({ connection, paused: pausesObject(pauses) });
    else output.line(`paused on connection ${plain(connection)}: ${pausesText(pauses) || 'nothing'}`);
    return 0;
  });
}

import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';

/** `queue:restart`: the restart signal. */
export const command: Command = {
  flags: {},
  positionals: { connection: 'The same as --connection' },
  examples: [['drover queue:restart', 'After a deploy: whatever keeps workers running starts them anew']],
  notes:
    'Every queue:work and queue:listen of the connection that runs now finishes its jobs and exits with 0. It ' +
    'starts none: that is for systemd, a container platform or a process manager to do.',
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue }) => {
      await queue.restartWorkers();
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ connection: queue.connectionName, restart: 'asked' });
      else output.line(`workers of connection ${plain(queue.connectionName)} were asked to finish and exit`);
      return 0;
    }),
};

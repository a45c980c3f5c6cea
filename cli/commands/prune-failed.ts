import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { hoursOf } from '../hours.js';
import { createOutput } from '../output.js';

const defaultHours = 24;

/** `queue:prune-failed`: the old records of failed jobs go, unasked: for a timer. */
export const command: Command = {
  flags: {
    hours: {
      kind: 'text',
      says: 'Those that failed more than so many hours ago',
      without: String(defaultHours),
    },
  },
  examples: [['drover queue:prune-failed --hours 168', 'In a daily job: what is older than a week']],
  notes: 'It works on all connections of the config and does not ask. All of them: queue:flush.',
  run: (args, io) => {
    const hours = hoursOf(args.text('hours')) ?? defaultHours;
    return withContext(args, io, { jobs: false }, async ({ queue }) => {
      const pruned = await queue.failed.flush({ beforeMs: Date.now() - hours * 3_600_000 });
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ pruned });
      else output.line(`${pruned} forgotten`);
      return exitCodes.done;
    });
  },
};

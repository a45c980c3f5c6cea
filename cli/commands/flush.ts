import type { Command } from '../command.js';
import { confirmed } from '../confirm.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { hoursOf } from '../hours.js';
import { createOutput } from '../output.js';

/** `queue:flush`: all records of failed jobs go, or the old ones. */
export const command: Command = {
  flags: {
    hours: { kind: 'text', says: 'Only those that failed more than so many hours ago' },
    force: { kind: 'switch', says: 'Do not ask; needed where there is no terminal' },
  },
  examples: [['drover queue:flush --hours 168 --force', 'In a weekly job: what is older than a week']],
  exits: [[exitCodes.error, 'an error, or the question was answered with no']],
  notes: 'It works on all connections of the config.',
  run: (args, io) => {
    const hours = hoursOf(args.text('hours'));
    return withContext(args, io, { jobs: false }, async ({ queue }) => {
      const which = hours === undefined ? 'all failed jobs' : `the failed jobs older than ${hours} h`;
      if (!(await confirmed(args, io, `Forget ${which} of all connections?`))) {
        io.stderr.write('nothing was removed\n');
        return exitCodes.error;
      }
      const options = hours === undefined ? {} : { beforeMs: Date.now() - hours * 3_600_000 };
      const flushed = await queue.failed.flush(options);
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ flushed });
      else output.line(`${flushed} forgotten`);
      return exitCodes.done;
    });
  },
};

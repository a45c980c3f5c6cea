import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { findFailed, tellUnknown } from '../failed-ids.js';
import { createOutput } from '../output.js';

/** `queue:forget`: some records of failed jobs go. */
export const command: Command = {
  flags: {},
  positionals: { id: 'uuids or job ids' },
  examples: [['drover queue:forget 0192f3a4-5b6c-4d7e-8f90-a1b2c3d4e5f6', 'It will not run again']],
  exits: [[exitCodes.error, 'an error, or no failed job has one of the ids']],
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue }) => {
      const { jobs, unknown } = await findFailed(queue, args.words('id'));
      const forgotten = jobs.length === 0 ? 0 : await queue.failed.forget(jobs.map((job) => job.uuid));
      const output = createOutput(io, args.isOn('json'));
      if (output.json) output.object({ forgotten, unknown });
      else {
        tellUnknown(unknown, io);
        // Not taken for a word of its own: a job may have been pushed with this id.
        if (unknown.includes('all')) io.stderr.write('to remove all of them: drover queue:flush\n');
        output.line(`${forgotten} forgotten`);
      }
      return unknown.length > 0 ? exitCodes.error : exitCodes.done;
    }),
};

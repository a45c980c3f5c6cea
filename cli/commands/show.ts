import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { foundObject, jobDetails } from '../job-view.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';

/** `queue:show`: one job in full. */
export const command: Command = {
  flags: {
    queue: {
      kind: 'text',
      says: 'The queue that it is in',
      without: "the connection's queue; where it ended: any",
    },
  },
  positionals: { id: 'The id of the job, or the uuid of a failed one' },
  examples: [
    [
      'drover queue:show 0192f3a4-5b6c-7d7e-8f90-a1b2c3d4e5f6',
      'Its state, its times, its error or result, its payload',
    ],
    ['drover queue:show order-17 --queue mail --json', 'A job of another queue, as one object'],
  ],
  exits: [[exitCodes.error, 'an error, or no job has the id']],
  notes: 'A job that is done is known where the connection has a history. Nothing is taken or changed.',
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue }) => {
      const id = args.text('id') ?? '';
      const lane = args.text('queue');
      const jobs = await queue.find(id, lane === undefined ? {} : { queue: lane });
      if (jobs.length === 0) {
        io.stderr.write(`no job has the id ${plain(id)}\n`);
        return exitCodes.error;
      }
      const output = createOutput(io, args.isOn('json'));
      for (const [index, job] of jobs.entries()) {
        if (output.json) output.object(foundObject(job));
        else output.line(`${index > 0 ? '\n' : ''}${jobDetails(job, Date.now(), output.colors)}`);
      }
      return exitCodes.done;
    }),
};

import type { Queue } from '../../src/index.js';
import type { Args } from '../args.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { failedFilter, findFailed, refuseFilter, tellUnknown } from '../failed-ids.js';
import { failedDetails, failedObject, failedTable } from '../failed-view.js';
import type { Io } from '../io.js';
import { createOutput } from '../output.js';

const defaultLimit = 100;
/** For output that goes to no terminal. */
const defaultWidth = 160;

/** `queue:failed`: the jobs that were given up. */
export const command: Command = {
  flags: {
    queue: { kind: 'text', says: 'Only those of a queue' },
    name: { kind: 'text', says: 'Only those of a job' },
    since: { kind: 'text', says: 'Only those that failed since: 30m, 2h, 1d ago, or a time in ISO 8601' },
    until: { kind: 'text', says: 'Only those that failed until then, as in --since' },
    limit: { kind: 'text', says: 'At most so many, the newest', without: String(defaultLimit) },
  },
  positionals: { id: 'The uuid or job id of one to show in full: error, causes, stack, payload' },
  examples: [
    ['drover queue:failed --since 1h', 'The last hour'],
    ['drover queue:failed 0192f3a4-5b6c-4d7e-8f90-a1b2c3d4e5f6', 'One in full'],
    ['drover queue:failed --json --limit 100000 > failed.ndjson', 'All of them, with payloads'],
  ],
  exits: [[exitCodes.error, 'an error, or no failed job has the id']],
  run: (args, io) => {
    const limit = args.whole('limit', 1) ?? defaultLimit;
    const id = args.text('id');
    if (id !== undefined) refuseFilter(args);
    return withContext(args, io, { jobs: false }, ({ queue, config }) =>
      id === undefined
        ? list(queue, { limit, recorded: config.failed !== 'none' }, args, io)
        : show(queue, id, args, io),
    );
  },
};

async function list(
  queue: Queue,
  wish: { readonly limit: number; readonly recorded: boolean },
  args: Args,
  io: Io,
): Promise<number> {
  const { limit } = wish;
  // One more than is shown tells whether there are more.
  const jobs = await queue.failed.list({ ...failedFilter(args, queue), limit: limit + 1 });
  const shown = jobs.slice(0, limit);
  const output = createOutput(io, args.isOn('json'));
  if (output.json) {
    for (const job of shown) output.object(failedObject(job));
    return exitCodes.done;
  }
  if (shown.length === 0) {
    output.line(wish.recorded ? 'no failed jobs' : "no failed jobs: the config keeps none (failed: 'none')");
    return exitCodes.done;
  }
  const width = io.stdout.columns ?? defaultWidth;
  const connections = args.text('connection') === undefined && queue.connectionNames.length > 1;
  output.line(failedTable(shown, output.colors, { width, connections }));
  const more = jobs.length > limit ? `the newest ${limit} are shown (--limit); ` : '';
  output.line(
    output.colors.dim(
      `${more}see one in full: drover queue:failed <uuid>; run again: drover queue:retry <uuid>`,
    ),
  );
  return exitCodes.done;
}

async function show(queue: Queue, id: string, args: Args, io: Io): Promise<number> {
  const { jobs, unknown } = await findFailed(queue, [id]);
  tellUnknown(unknown, io);
  const output = createOutput(io, args.isOn('json'));
  for (const [index, job] of jobs.entries()) {
    if (output.json) output.object(failedObject(job));
    else output.line(`${index > 0 ? '\n' : ''}${failedDetails(job, output.colors)}`);
  }
  return unknown.length > 0 ? exitCodes.error : exitCodes.done;
}

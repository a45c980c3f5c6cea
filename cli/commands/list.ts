import { type ListOptions, listedStates } from '../../src/index.js';
import { type Args, usage } from '../args.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { jobObject, jobTable } from '../job-view.js';
import { createOutput } from '../output.js';
import { plain } from '../plain-text.js';

const defaultLimit = 100;
/** For output that goes to no terminal. */
const defaultWidth = 200;

/** `queue:list`: jobs by state. */
export const command: Command = {
  flags: {
    queue: {
      kind: 'text',
      says: 'Only those of a queue',
      without: "live jobs: the connection's queue; ended ones: all",
    },
    name: { kind: 'text', says: 'Only those of a job' },
    since: { kind: 'text', says: 'Only those pushed (ended) since: 30m, 2h, 1d ago, or a time in ISO 8601' },
    limit: { kind: 'text', says: 'At most so many of each state', without: String(defaultLimit) },
  },
  positionals: { state: `${listedStates.slice(0, -1).join(', ')}, or all, which is the default` },
  examples: [
    ['drover queue:list', 'Jobs of every state'],
    ['drover queue:list running --queue mail', 'What runs now'],
    ['drover queue:list done --since 1h --name mail.send', 'What was done in the last hour'],
  ],
  notes:
    'Done jobs are kept where the connection has a history: { keep: 1000 }. Payloads are left out; queue:show has them. ' +
    'Nothing is taken or changed.',
  run: (args, io) => {
    const options = optionsOf(args);
    return withContext(args, io, { jobs: false }, async ({ queue, config }) => {
      const jobs = await queue.list(options);
      const output = createOutput(io, args.isOn('json'));
      if (output.json) {
        for (const job of jobs) output.object(jobObject(job, false));
        return exitCodes.done;
      }
      if (jobs.length > 0) {
        output.line(jobTable(jobs, Date.now(), output.colors, io.stdout.columns || defaultWidth));
      } else {
        output.line(`no ${options.state === 'all' ? '' : `${options.state} `}jobs`);
      }
      const isKept = config.connections[queue.connectionName]?.settings.history !== undefined;
      if (options.state === 'all' && !isKept) {
        output.line(
          output.colors.dim(`connection ${plain(queue.connectionName)} keeps no done jobs (history)`),
        );
      }
      return exitCodes.done;
    });
  },
};

function optionsOf(args: Args): ListOptions & { readonly state: NonNullable<ListOptions['state']> } {
  const text = args.text('state') ?? 'all';
  const state = listedStates.find((one) => one === text);
  if (state === undefined)
    throw usage(`queue:list: '${text}' is no state`, `The states are ${listedStates.join(', ')}.`);
  const sinceMs = args.since('since', Date.now());
  const [queue, name] = [args.text('queue'), args.text('name')];
  return {
    state,
    limit: args.whole('limit', 1) ?? defaultLimit,
    ...(queue !== undefined && { queue }),
    ...(name !== undefined && { name }),
    ...(sinceMs !== undefined && { since: new Date(sinceMs) }),
  };
}

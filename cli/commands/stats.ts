import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { createOutput } from '../output.js';
import { statsCharts, statsObject, statsTables } from '../stats-view.js';
import { timeText } from '../time-text.js';

/** Width of a terminal that does not tell. */
const defaultWidth = 80;

/** `queue:stats`: what happened to jobs and how long it took. */
export const command: Command = {
  flags: {
    since: { kind: 'text', says: 'How far back: 30m, 2h, 7d, or a time in ISO 8601', without: '1h' },
    name: { kind: 'text', says: 'Only jobs of a name' },
  },
  positionals: { queue: 'Only those of a queue' },
  examples: [
    ['drover queue:stats', 'The last hour, by queue and job'],
    ['drover queue:stats mail --since 7d --name mail.send', 'One job on one queue'],
    ['drover queue:stats --json', 'One object for each queue and job, with its minutes'],
  ],
  notes:
    'Kept are each minute of the last two hours and each hour of the last 14 days. Percentiles are within 5 %. ' +
    'Jobs that PHP pushes are not counted as pushed.',
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue }) => {
      const sinceMs = args.since('since', Date.now());
      const stats = await queue.stats({
        ...(sinceMs !== undefined && { since: new Date(sinceMs) }),
        queue: args.text('queue'),
        name: args.text('name'),
      });
      const output = createOutput(io, args.isOn('json'));
      if (output.json) {
        for (const job of stats.jobs) output.object(statsObject(stats, job));
        return exitCodes.done;
      }
      if (stats.jobs.length === 0) {
        output.line(`nothing was counted since ${timeText(stats.sinceMs)}`);
        return exitCodes.done;
      }
      output.line(statsTables(stats, output.colors));
      if (io.stdout.isTTY) {
        output.line(`\n${statsCharts(stats, output.colors, io.stdout.columns || defaultWidth)}`);
      }
      return exitCodes.done;
    }),
};

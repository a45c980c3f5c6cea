import { chosenGroups, configOfGroup, loadConfig } from '../../config/index.js';
import type { QueueConfig } from '../../src/index.js';
import type { Args } from '../args.js';
import type { Command } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { metricsFlags } from '../flags.js';
import { afterLapse } from '../job-report.js';
import { metricsAddress } from '../metrics/address.js';
import { createOutput, type Output } from '../output.js';
import { plain } from '../plain-text.js';
import { tellPlan } from '../supervise/group-plan.js';
import { superviseGroups } from '../supervise/supervise-groups.js';
import { tableText } from '../table.js';

/** `queue:supervise`: the groups of worker processes in `supervisors` of the config. */
export const command: Command = {
  flags: {
    ...metricsFlags,
    list: { kind: 'switch', says: 'Print the groups and exit' },
    plan: { kind: 'switch', says: 'Tell the supervisor the groups', hidden: true },
  },
  positionals: { group: 'Groups of the config; all where none is named' },
  examples: [
    ['drover queue:supervise', 'All groups of the config, until SIGTERM'],
    ['drover queue:supervise mail reports', 'These two'],
    ['drover queue:supervise --list', 'What would run'],
  ],
  exits: [
    [exitCodes.done, 'asked to stop by a signal or queue:restart, or every group found nothing more to do'],
    [exitCodes.store, "a group's store was away for longer than its maxOutage"],
    [130, `a second SIGINT: stopped at once. Of each running job: ${afterLapse}`],
    [143, 'a second SIGTERM: the same'],
  ],
  notes:
    'Groups are described in `supervisors` of the config, with the settings of `worker`, a connection and a number of ' +
    'workers each. A worker process at a limit of its group finishes its jobs and is replaced.',
  run: async (args, io) => {
    if (!args.isOn('list') && !args.isOn('plan')) return superviseGroups(process.argv.slice(2), io);
    const connection = args.text('connection');
    const loaded = await loadConfig({ file: args.text('config'), cwd: io.cwd, env: io.env, connection });
    const groups = groupsOf(loaded.config, args);
    if (args.isOn('plan')) {
      const workers = groups.reduce((sum, group) => sum + group.workers, 0);
      metricsAddress(args, loaded.config, workers - 1); // refuses what cannot be, before anything is started
      const metrics = given(args, Object.keys(metricsFlags));
      await tellPlan({ file: loaded.file, connection: connection ?? null, metrics, groups });
    } else {
      list(groups, createOutput(io, args.isOn('json')));
    }
    return exitCodes.done;
  },
};

/** Those of the flags that are given, with their values. */
function given(args: Args, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = args.text(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function groupsOf(config: QueueConfig, args: Args) {
  return chosenGroups(config, args.words('group')).map((name) => {
    const { default: connection = '', worker = {} } = configOfGroup(config, name);
    const own = config.connections[connection]?.settings.queue ?? 'default';
    const queues = worker.queues?.length ? worker.queues : [own];
    const { concurrency = 1, maxJobs = 0, memory = 0 } = worker;
    const workers = config.supervisors?.[name]?.workers ?? 1;
    return { name, connection, queues, workers, concurrency, maxJobs, memory };
  });
}

function list(groups: ReturnType<typeof groupsOf>, output: Output): void {
  if (output.json) {
    for (const { name, ...group } of groups) output.object({ group: name, ...group });
    return;
  }
  const heading = ['group', 'connection', 'queues', 'workers', 'concurrency'];
  const rows = groups.map(({ name, connection, queues, workers, concurrency }) => [
    plain(name),
    plain(connection),
    plain(queues.join(', ')),
    String(workers),
    String(concurrency),
  ]);
  output.line(tableText(heading, rows, output.colors, { numbers: [3, 4] }));
}

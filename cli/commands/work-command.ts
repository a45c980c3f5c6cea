import { type Args, usage } from '../args.js';
import type { Command } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { queueWorkFlags } from '../flags.js';
import { afterLapse } from '../job-report.js';
import { Orders } from '../supervise/orders.js';
import { supervise } from '../supervise/supervise.js';
import { refuseQuietJson, workerOptions } from '../worker-flags.js';

/** `queue:work`: worker processes and their supervisor, or a worker in this process. */
export const command: Command = {
  flags: queueWorkFlags,
  positionals: { connection: 'The same as --connection' },
  examples: [
    ['drover queue:work', 'Work the default connection until SIGTERM'],
    ['drover queue:work database --queue high,default --concurrency 10', 'Two queues, ten jobs side by side'],
    ['drover queue:work --stop-when-empty --json', 'Work off what is there; one object a line'],
  ],
  exits: [
    [
      exitCodes.done,
      'asked to stop, or nothing (more) to do: signal, restart, once, empty, max-jobs, max-time',
    ],
    [exitCodes.memory, 'above --memory'],
    [exitCodes.store, 'the store was away for longer than --max-outage'],
    [exitCodes.uncaught, 'in one process: an error outside any handler; running jobs were let end first'],
    [exitCodes.stuck, 'in one process: every slot is held by a handler that goes on in spite of its timeout'],
    [130, `a second SIGINT: stopped at once. Of each running job: ${afterLapse}`],
    [143, 'a second SIGTERM: the same'],
  ],
  notes:
    'Times are seconds, or text with a unit: 250ms, 30s, 5m, 2h. What no flag says comes from `worker` of the ' +
    'config. SIGTERM or SIGINT: no new jobs, running ones end within --shutdown-timeout, else they are aborted ' +
    'and given back.',
  run: async (args, io) => {
    workerOptions(args);
    const workers = workersOf(args);
    refuseQuietJson(args);
    if (workers > 0) {
      return supervise({ words: process.argv.slice(2), values: args.values, workers }, io);
    }
    const { runWorker } = await import('./load-work.js');
    if (!args.isOn('supervised')) return runWorker(args, io);
    const orders = new Orders();
    return runWorker(args, io, { orders, begin: await orders.begun });
  },
};

/** How many processes to start, 0 for none: this one works. */
function workersOf(args: Args): number {
  const workers = args.whole('workers', 0);
  if (args.isOn('once') && workers !== undefined && workers > 0) {
    throw usage('--once works in this process, without --workers', 'Leave one of them out.');
  }
  const inThisProcess = ['once', 'supervised', 'report-to-parent'].some((name) => args.isOn(name));
  return inThisProcess ? 0 : (workers ?? 1);
}

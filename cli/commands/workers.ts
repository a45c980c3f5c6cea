import type { WorkerInfo } from '../../src/index.js';
import type { Command } from '../command.js';
import { withContext } from '../context.js';
import { createOutput, type Output } from '../output.js';
import { plain } from '../plain-text.js';
import { tableText } from '../table.js';
import { spanText } from '../time-text.js';

/** `queue:workers`: who works. */
export const command: Command = {
  flags: {},
  positionals: { connection: 'The same as --connection' },
  examples: [
    ['drover queue:workers', 'Who works on the default connection'],
    ['drover queue:workers --json', 'One object for each worker, with the jobs that it runs'],
  ],
  notes:
    'A worker that was killed, whose machine is away or whose event loop a job blocks shows as gone? before it is ' +
    'left out. One process of queue:work is one worker.',
  run: (args, io) =>
    withContext(args, io, { jobs: false }, async ({ queue }) => {
      const workers = await queue.workers();
      const output = createOutput(io, args.isOn('json'));
      if (output.json) for (const worker of workers) output.object(objectOf(worker, queue.connectionName));
      else if (workers.length > 0) output.line(table(workers, output));
      else output.line(`no workers on connection ${plain(queue.connectionName)}`);
      return 0;
    }),
};

function objectOf({ startedAtMs, ...worker }: WorkerInfo, connection: string): object {
  return { connection, ...worker, startedAt: new Date(startedAtMs).toISOString() };
}

const heading = ['name', 'host', 'pid', 'state', 'since', 'running', 'done', 'failed', 'MiB', 'queues'];

function table(workers: readonly WorkerInfo[], { colors }: Output): string {
  const rows = workers.map((worker) => [
    plain(worker.name),
    plain(worker.host),
    String(worker.pid),
    worker.state,
    `${spanText(Math.max(0, Date.now() - worker.startedAtMs))} ago`,
    `${worker.running}/${worker.concurrency}`,
    ...[worker.done, worker.failed, worker.rssMiB].map(String),
    worker.queues.map(plain).join(','),
  ]);
  return tableText(heading, rows, colors, { numbers: [2, 5, 6, 7, 8] });
}

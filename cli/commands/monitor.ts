import { setTimeout as sleep } from 'node:timers/promises';
import { durationToMs, isQueueError, type MonitoredQueue } from '../../src/index.js';
import { type Args, usage } from '../args.js';
import type { Command } from '../command.js';
import { type Context, withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import type { Io } from '../io.js';
import { createOutput, type Output } from '../output.js';
import { plain } from '../plain-text.js';
import { stopOnSignals } from '../signals.js';
import { tableText } from '../table.js';
import { spanText, timeText } from '../time-text.js';

/** What `queue:monitor` was asked to watch. */
interface Watched {
  readonly queues: readonly string[];
  readonly max: number;
}

/** `queue:monitor`: whether queues have too many jobs, for alerts. */
export const command: Command = {
  flags: {
    max: { kind: 'text', says: 'How many ready jobs a queue may have', without: '1000' },
    every: {
      kind: 'text',
      says: 'Look again and again, this long after the last look',
      without: 'look once',
    },
  },
  positionals: { queue: "Queues to look at; the connection's own where none is named" },
  examples: [
    ['drover queue:monitor high default --max 100', 'Exit 1 where one of them has more than 100 ready jobs'],
    ['drover queue:monitor --every 5s --json', 'One object each five seconds, until it is told to stop'],
  ],
  exits: [
    [exitCodes.done, 'every queue is within --max'],
    [exitCodes.error, 'a queue has more, or an error; with --every that is said of the last look'],
  ],
  notes:
    'Ready jobs count: delayed ones wait on purpose, and reserved ones are being run. With --every a store that ' +
    'does not answer is asked again.',
  run: (args, io) => {
    const watched = { queues: args.words('queue'), max: args.whole('max', 0) ?? 1000 };
    const everyMs = spanOf(args);
    return withContext(args, io, { jobs: false }, async (context) => {
      const output = createOutput(io, args.isOn('json'));
      if (everyMs === undefined) return await look(context, watched, output);
      return await keepLooking(context, watched, everyMs, output, io);
    });
  },
};

function spanOf(args: Args): number | undefined {
  const every = args.span('every');
  if (every === undefined) return undefined;
  const everyMs = durationToMs(every, '--every');
  if (everyMs < 100) throw usage('--every is below 100 ms', 'Write --every 5s.');
  return everyMs;
}

async function look({ queue }: Context, watched: Watched, output: Output): Promise<number> {
  const readings = await queue.monitor(watched);
  if (output.json) {
    const time = new Date().toISOString();
    for (const reading of readings) output.object({ time, ...reading, max: watched.max });
  } else {
    output.line(readingsText(readings, watched.max, output));
  }
  return readings.some(({ busy }) => busy) ? exitCodes.error : exitCodes.done;
}

/** Looks until a signal, or until nobody reads the output. */
async function keepLooking(
  context: Context,
  watched: Watched,
  everyMs: number,
  output: Output,
  io: Io,
): Promise<number> {
  const stops = stopOnSignals(
    () => {},
    (code) => io.exit(code),
  );
  io.outputGone.addEventListener('abort', () => stops.stop());
  let code: number = exitCodes.done;
  while (!stops.signal.aborted) {
    if (!output.json) output.line(output.colors.dim(timeText(Date.now())));
    try {
      code = await look(context, watched, output);
    } catch (error) {
      if (!isQueueError(error) || !error.transient) throw error;
      context.logger.warn({ err: error }, 'the store does not answer; looking again');
      code = exitCodes.error;
    }
    await sleep(everyMs, undefined, { signal: stops.signal }).catch(() => undefined); // told to stop meanwhile
  }
  return code;
}

function readingsText(readings: readonly MonitoredQueue[], max: number, { colors }: Output): string {
  const rows = readings.map(({ queue, ready, delayed, reserved, longestWaitMs, busy }) => [
    plain(queue),
    ...[ready, delayed, reserved].map(String),
    longestWaitMs === undefined ? '' : spanText(longestWaitMs),
    busy ? colors.red(`above ${max}`) : colors.green('ok'),
  ]);
  const heading = ['queue', 'ready', 'delayed', 'reserved', 'waiting', 'state'];
  return tableText(heading, rows, colors, { numbers: [1, 2, 3, 4] });
}

import {
  type Connector,
  type Halt,
  isQueueError,
  type Queue,
  QueueError,
  systemClock,
  type WorkerOptions,
} from '../../src/index.js';
import { thinkFileCache } from '../../src/think-file-cache.js';
import type { Args } from '../args.js';
import type { Command } from '../command.js';
import { type Context, withContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { workFlags } from '../flags.js';
import type { Io } from '../io.js';
import { afterLapse } from '../job-report.js';
import { Child } from '../listen/child.js';
import { Listener, type ListenerStop } from '../listen/listener.js';
import { createOutput, type Output, wantsColors } from '../output.js';
import { haltText } from '../paused-text.js';
import { stopOnSignals } from '../signals.js';
import { WorkerProcess } from '../supervise/worker-process.js';
import { spanText } from '../time-text.js';
import { refuseQuietJson, servedQueues, spanMs, workerOptions } from '../worker-flags.js';

/** `queue:listen`: a fresh one-shot process for each job. */
export const command: Command = {
  flags: workFlags,
  positionals: { connection: 'The same as --connection' },
  examples: [
    ['drover queue:listen', 'Change a job file: the next job runs the new code'],
    ['drover queue:listen --timeout 30 --queue mail', 'End what blocks for 30 s, with all that it started'],
  ],
  exits: [
    [exitCodes.done, 'asked to stop: signal or restart'],
    [exitCodes.memory, 'the listener itself is above --memory'],
    [130, `a second SIGINT: the running job was killed; ${afterLapse}`],
    [143, 'a second SIGTERM: the same'],
  ],
  notes:
    'A handler over its timeout is aborted as in queue:work. One that blocks its event loop is killed within a ' +
    'second after --timeout, with every process of its group. Its attempt counts: it is released while tries are ' +
    'left, else failed.',
  run: async (args, io) => {
    const options = workerOptions(args);
    refuseQuietJson(args);
    return withContext(args, io, { jobs: false }, (context) => {
      assertWorkable(context.queue, options);
      return listen(context, args, io);
    });
  },
};

async function listen(context: Context, args: Args, io: Io): Promise<number> {
  const { logger } = context;
  const output = createOutput(io, args.isOn('json'));
  const tell = (event: string, fields: object, sentence: string) => {
    if (output.json) output.object({ time: new Date().toISOString(), event, ...fields });
    else logger.info({}, sentence);
  };
  const connector = connect(context);
  const tellHalt = (halt: Halt) => {
    const why = haltText(halt);
    if (why) tell('listener:paused', halt, `${why}: no jobs are started there`);
    else tell('listener:resumed', {}, 'nothing is paused any longer: goes on with jobs');
  };
  const listener = createListener(connector, context, output, args, io, tellHalt);
  const stops = stopOnSignals(
    (name) => logger.info({}, `${name}: no new jobs; the running one may end. A second signal kills it.`),
    (code) => {
      listener.killChild();
      io.exit(code);
    },
  );
  io.outputGone.addEventListener('abort', () => {
    logger.warn({}, 'nobody reads the output any longer: no new jobs, the running one may end');
    stops.stop();
  });

  const about = {
    pid: process.pid,
    connection: context.queue.connectionName,
    queues: servedQueues(args, context),
    config: context.file,
  };
  const place = `${about.queues.join(', ')} of connection ${about.connection}, a process for each job`;
  tell(
    'listener:started',
    about,
    `listening on ${place} (pid ${about.pid}, config ${about.config ?? 'built in'})`,
  );
  let reason: ListenerStop | 'error' = 'error';
  try {
    reason = await listener.run(stops.signal);
    return reason === 'memory' ? exitCodes.memory : exitCodes.done;
  } finally {
    tell('listener:stopped', { reason }, `stopped: ${reason}`);
    await connector.close();
  }
}

/** A connection of the listener's own: it looks at sizes and signals, which the queue does not hand out. */
function connect({ queue, config, logger }: Context): Connector {
  const connection = queue.connectionName;
  const driver = config.connections[connection];
  if (driver === undefined)
    throw new QueueError('E_CONNECTION_UNKNOWN', `there is no connection ${connection}`);
  return driver.connect({
    connection,
    clock: config.clock ?? systemClock,
    logger,
    runInline: () => Promise.reject(new QueueError('E_INLINE_CONNECTION', 'a listener runs no jobs itself')),
  });
}

function createListener(
  connector: Connector,
  context: Context,
  output: Output,
  args: Args,
  io: Io,
  onHalt: (halt: Halt) => void,
): Listener {
  const { config, logger } = context;
  const limits = {
    timeoutMs: spanMs(args, context, 'timeout'),
    graceMs: spanMs(args, context, 'grace'),
    shutdownTimeoutMs: spanMs(args, context, 'shutdownTimeout'),
  };
  const words = childWords(args, context);
  const env = childEnv(io, wantsColors(io.stdout, io.env));
  return new Listener({
    connector,
    queues: servedQueues(args, context),
    sleepMs: spanMs(args, context, 'sleep'),
    restMs: spanMs(args, context, 'rest'),
    maintenance: args.isOn('force') || config.worker?.force ? undefined : config.maintenance,
    restarts: thinkFileCache(config),
    onHalt,
    memoryMiB: args.whole('memory', 0) ?? config.worker?.memory ?? 0,
    logger,
    startChild: () => new Child(words, limits, io, env),
    onKilled: (job) => {
      if (output.json) output.object({ time: new Date().toISOString(), event: 'job:killed', ...job });
      const what = `killed the process of job ${job.name} (${job.id})`;
      const why = `it blocked its event loop past the timeout of ${spanText(limits.timeoutMs)} or past a stop`;
      const fields = { queue: job.queue, attempts: job.attempts };
      logger.error(fields, `${what}: ${why}`);
    },
    settle: async (left) => {
      const settling = WorkerProcess.start(['queue:work', '--once', ...words]);
      settling.begin({ values: valuesOf(words), left, suspects: [], settleOnly: true });
      const end = await settling.ended;
      if (!end.worked) logger.error({ jobs: left.length }, `could not settle the job; ${afterLapse}`);
    },
  });
}

/**
 * Makes a worker for its checks (the lease outlasts the timeout, there is something to work) and never runs
 * it. That job files are not loaded is right here: each child loads them anew.
 */
function assertWorkable(queue: Queue, options: WorkerOptions): void {
  try {
    queue.worker(options);
  } catch (error) {
    if (!isQueueError(error, 'E_JOB_NOT_LOADED')) throw error;
  }
}

/** The flags that each child is given as they were given here. `memory` is the listener's own. */
function childWords(args: Args, { queue, file }: Context): string[] {
  const passedOn = ['queue', 'tries', 'backoff', 'delay', 'timeout', 'sleep', 'shutdown-timeout'];
  const words = [`--connection=${queue.connectionName}`, '--memory=0'];
  if (file !== null) words.push(`--config=${file}`);
  for (const name of ['json', 'quiet', 'force']) if (args.isOn(name)) words.push(`--${name}`);
  for (const name of passedOn) {
    const value = args.text(name);
    if (value !== undefined) words.push(`--${name}=${value}`);
  }
  return words;
}

/** What such words say. */
function valuesOf(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word) => /^--([^=]+)=?(.*)$/s.exec(word) ?? []);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value || true]));
}

/** The children write to pipes: whether there is a terminal behind them, only the listener knows. */
function childEnv(io: Io, colors: boolean): NodeJS.ProcessEnv {
  return colors ? { ...io.env, FORCE_COLOR: '1' } : io.env;
}

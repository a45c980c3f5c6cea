import { Console } from 'node:console';
import type { Halt, StopReason, Worker } from '../../src/index.js';
import { type Args, usage } from '../args.js';
import type { Command } from '../command.js';
import { type Context, withContext } from '../context.js';
import { exitCodeOfStop, exitCodes } from '../exit-codes.js';
import { workFlags } from '../flags.js';
import { heldElsewhere, heldText } from '../held-jobs.js';
import type { Io } from '../io.js';
import { showJobs } from '../job-display.js';
import { afterLapse, reportJob } from '../job-report.js';
import { linkToParent } from '../listen/parent-link.js';
import { createOutput } from '../output.js';
import { haltText } from '../paused-text.js';
import { RunningJobs } from '../running-jobs.js';
import { pauseOnSignals, type StopSignals, stopOnSignals } from '../signals.js';
import { assertSomeJob } from '../some-job.js';
import { supervise } from '../supervise/supervise.js';
import { leftJobs, SupervisorLink } from '../supervise/supervisor-link.js';
import { servedQueues, spanMs, workerOptions } from '../worker-flags.js';
import { reportWorker } from '../worker-report.js';

/** `queue:work`: worker processes and their supervisor, or a worker in this process. */
export const command: Command = {
  flags: {
    daemon: { kind: 'switch', says: 'Run until told to stop: what it does anyway, said explicitly' },
    once: { kind: 'switch', says: 'Run one job, or none where none is due, and exit' },
    'stop-when-empty': { kind: 'switch', says: 'Exit when nothing is due, nor falls due within --sleep' },
    workers: {
      kind: 'text',
      says: 'Worker processes; 0: work in this process, which nobody watches, as with --once',
      without: '1',
    },
    concurrency: { kind: 'text', says: 'Jobs that run side by side in each process', without: '1' },
    prefetch: {
      kind: 'text',
      says: 'Jobs to reserve ahead of free slots at most; 0 for none',
      without: '100',
    },
    ...workFlags,
    name: {
      kind: 'text',
      says: 'What the worker is called in logs and queue:workers',
      without: '<host>:<pid>',
    },
    'max-jobs': { kind: 'text', says: 'Exit after this many jobs; 0: no limit', without: '0' },
    'max-time': { kind: 'text', says: 'Exit after this long; 0: no limit', without: '0' },
    'max-outage': { kind: 'text', says: 'Exit when the store was away for so long; 0: wait', without: '0' },
    group: { kind: 'text', says: 'Work as this group of the config', hidden: true },
    quiet: { kind: 'switch', says: 'Print only what goes wrong: failed jobs, warnings, errors' },
    supervised: { kind: 'switch', says: 'Be a worker process of a supervisor', hidden: true },
    'report-to-parent': { kind: 'switch', says: 'Tell queue:listen about the job', hidden: true },
  },
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
  run: (args, io) => {
    const options = workerOptions(args);
    const workers = workersOf(args);
    const json = args.isOn('json');
    if (json && args.isOn('quiet')) {
      throw usage('--quiet and --json exclude each other', '--json prints every event.');
    }
    if (workers > 0) return supervise(process.argv.slice(2), { workers, json });
    if (json) keepStdoutForEvents();
    return withContext(args, io, { jobs: true, group: args.text('group') }, (context) => {
      const link = args.isOn('supervised')
        ? new SupervisorLink(concurrencyOf(args, context), context.logger)
        : undefined;
      const worker = context.queue.worker(options, link?.watch);
      assertSomeJob(context);
      return work(worker, context, args, io, link);
    });
  },
};

function concurrencyOf(args: Args, { config }: Context): number {
  return args.whole('concurrency', 1) ?? config.worker?.concurrency ?? 1;
}

/** How many processes to start, 0 for none: this one works. */
function workersOf(args: Args): number {
  const workers = args.whole('workers', 0);
  if (args.isOn('once') && workers !== undefined && workers > 0) {
    throw usage('--once works in this process, without --workers', 'Leave one of them out.');
  }
  const inThisProcess = ['once', 'supervised', 'report-to-parent'].some((name) => args.isOn(name));
  return inThisProcess ? 0 : (workers ?? 1);
}

/** What jobs print with `console` goes to stderr: a line of theirs would be no JSON to whoever reads stdout. */
function keepStdoutForEvents(): void {
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
}

async function work(
  worker: Worker,
  context: Context,
  args: Args,
  io: Io,
  link: SupervisorLink | undefined,
): Promise<number> {
  const { queue, config, logger } = context;
  const output = createOutput(io, args.isOn('json'), args.text('group'));
  const stops = watchForStops(context, args, io, link);
  const pauses = pausesOf(worker, context);
  pauseOnSignals(pauses);
  const isChild = args.isOn('report-to-parent');
  if (isChild) linkToParent(queue.events, stops.stop);
  const name = args.text('name') ?? config.worker?.name;
  const report = { recorded: config.failed !== 'none', quiet: args.isOn('quiet'), worker: name };
  if (isTerminal(args, io)) showJobs(queue.events, output, io, report);
  else queue.events.on('job:*', (event) => reportJob(event, output, report));

  if (link) {
    const begun = await link.begin({
      stop: (why) => stops.stopFor(why),
      ...pauses,
    });
    await worker.settleLeft(leftJobs(begun.left));
    link.working(stopLimits(args, context));
    if (begun.settleOnly) return exitCodes.done;
  }

  const tell = (event: string, fields: object, sentence: string) => {
    if (isChild) return; // the listener tells of itself; a line for each of its children would drown the jobs
    if (output.json) output.object({ time: new Date().toISOString(), event, ...fields });
    else logger.info({}, sentence);
  };
  if (!isChild) reportWorker(queue.events, output, logger);
  const about = describeWorker(worker, args, context);
  const place = `${about.queues.join(', ')} of connection ${about.connection}`;
  const jobs = `${about.jobs} ${about.jobs === 1 ? 'job' : 'jobs'} defined`;
  const origin = `pid ${about.pid}, config ${about.config ?? 'built in'}, ${jobs}`;
  tell('worker:started', about, `working ${place} (${origin})`);
  worker.onHalt((halt) => tellHalt(halt, tell));

  let reason: StopReason | 'error' | 'uncaught' = 'error';
  try {
    const stopped = await worker.run(stops.signal);
    reason = stops.isUncaught() ? 'uncaught' : stopped;
    return reason === 'uncaught' ? exitCodes.uncaught : exitCodeOfStop(stopped);
  } finally {
    const isEmpty = reason === 'empty' && !isChild;
    const reserved = isEmpty ? await heldElsewhere(about.queues, queue) : undefined;
    const halted = isEmpty ? haltText(worker.halt) : '';
    tell(
      'worker:stopped',
      { reason, ...(reserved !== undefined && { reserved }), ...(halted && worker.halt) },
      `stopped: ${reason}${halted && ` (${halted})`}${heldText(reserved)}`,
    );
    await link?.stopped(reason);
  }
}

/** Whether somebody looks on as jobs are run. */
function isTerminal(args: Args, io: Io): boolean {
  return io.stdout.isTTY === true && !args.isOn('json') && !args.isOn('quiet');
}

/** Says why jobs are left where they are, whoever asked for it. */
function tellHalt(halt: Halt, tell: (event: string, fields: object, sentence: string) => void): void {
  const why = haltText(halt);
  if (why) tell('worker:paused', halt, `${why}: takes no jobs there; running ones may end`);
  else tell('worker:resumed', {}, 'nothing is paused any longer: goes on taking jobs');
}

function describeWorker(worker: Worker, args: Args, context: Context) {
  return {
    pid: process.pid,
    name: worker.name,
    connection: context.queue.connectionName,
    queues: servedQueues(args, context),
    jobs: context.queue.jobNames.length,
    concurrency: concurrencyOf(args, context),
    config: context.file,
  };
}

function pausesOf(worker: Worker, { logger }: Context) {
  let paused = false;
  const set = (wanted: boolean, says: string): void => {
    if (wanted === paused) return; // the signal may come twice: to this process, and through its supervisor
    paused = wanted;
    if (wanted) worker.pause();
    else worker.resume();
    logger.info({}, says);
  };
  return {
    pause: () => set(true, 'paused: no new jobs until SIGCONT; running ones may end'),
    resume: () => set(false, 'goes on taking jobs'),
  };
}

function stopLimits(args: Args, context: Context) {
  return {
    graceMs: spanMs(args, context, 'grace'),
    shutdownTimeoutMs: spanMs(args, context, 'shutdownTimeout'),
  };
}

interface Stops extends StopSignals {
  /** Stops as the first signal does, and says why. */
  stopFor(why: string): void;
  isUncaught(): boolean;
}

/** Turns signals, a reader that went away and errors that nothing caught into one wish to stop. */
function watchForStops(context: Context, args: Args, io: Io, link: SupervisorLink | undefined): Stops {
  const { queue, logger } = context;
  const running = new RunningJobs(queue.events);
  const say = (why: string) =>
    logger.info({}, `${why}: no new jobs; ${running.text} may end. A second signal ends at once.`);
  // Whose processes get the same signal twice, once from the supervisor, knows best whether it was a second one.
  const stops = stopOnSignals(say, (code) => link ?? io.exit(code));
  const stopFor = (why: string): void => {
    if (!stops.signal.aborted) say(why);
    stops.stop();
  };
  io.outputGone.addEventListener('abort', () => {
    logger.warn({}, 'nobody reads the output any longer: no new jobs, running ones may end');
    void link?.report({ type: 'output-gone' });
    stops.stop();
  });
  let uncaught = false;
  const { graceMs, shutdownTimeoutMs } = stopLimits(args, context);
  const patienceMs = shutdownTimeoutMs + graceMs + 5000;
  io.onUncaught((error) => {
    uncaught = true;
    logger.error(
      { err: error, running: running.ids },
      'an error outside any handler (a promise without await?): no new jobs, running ones may end',
    );
    stops.stop();
    // What threw may have been what the end of the worker depends on.
    setTimeout(() => {
      const told = link?.stopped('uncaught') ?? Promise.resolve();
      void told.then(() => io.exit(exitCodes.uncaught));
    }, patienceMs).unref();
  });
  return { ...stops, stopFor, isUncaught: () => uncaught };
}

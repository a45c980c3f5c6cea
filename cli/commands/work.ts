import { keepCompiledCode } from '../../loader/load.js';
import type { Halt, Logger, QueueEvents, StopReason, Worker } from '../../src/index.js';
import type { Args } from '../args.js';
import { type Context, withContext } from '../context.js';
import { exitCodeOfStop, exitCodes } from '../exit-codes.js';
import { heldElsewhere, heldText } from '../held-jobs.js';
import type { Io } from '../io.js';
import { reportedEvents, reportJob } from '../job-report.js';
import { linkToParent } from '../listen/parent-link.js';
import { metricsAddress } from '../metrics/address.js';
import { createOutput, gatheredWrites } from '../output.js';
import { haltText } from '../paused-text.js';
import { pauseOnSignals, type StopSignals, stopOnSignals } from '../signals.js';
import { assertSomeJob } from '../some-job.js';
import type { Orders } from '../supervise/orders.js';
import type { Begin } from '../supervise/protocol.js';
import { leftJobs, SupervisorLink } from '../supervise/supervisor-link.js';
import { servedQueues, spanMs, workerOptions } from '../worker-flags.js';
import { reportWorker } from '../worker-report.js';

/** What a worker process of a supervisor is started with. */
export interface Supervised {
  readonly orders: Orders;
  readonly begin: Begin;
}

/** Runs a worker in this process; answers the exit code. */
export function runWorker(args: Args, io: Io, supervised?: Supervised): Promise<number> {
  const options = workerOptions(args);
  if (args.isOn('json')) keepStdoutForEvents();
  return withContext(args, io, { jobs: true, startsStore: true, group: args.text('group') }, (context) => {
    const link = supervised && new SupervisorLink(supervised, concurrencyOf(args, context), context.logger);
    const worker = context.queue.worker(options, link?.watch);
    assertSomeJob(context);
    return work(worker, context, args, io, link);
  });
}

function concurrencyOf(args: Args, { config }: Context): number {
  return args.whole('concurrency', 1) ?? config.worker?.concurrency ?? 1;
}

/** What jobs print with `console` goes to stderr: a line of theirs would be no JSON to whoever reads stdout. */
function keepStdoutForEvents(): void {
  globalThis.console = new console.Console({ stdout: process.stderr, stderr: process.stderr });
}

async function work(
  worker: Worker,
  context: Context,
  args: Args,
  io: Io,
  link: SupervisorLink | undefined,
): Promise<number> {
  const { queue, config, logger } = context;
  // An object that says that a job starts must be out before its handler, which may block the process.
  const write = args.isOn('json') ? undefined : gatheredWrites(io.stdout);
  const output = createOutput(io, args.isOn('json'), args.text('group'), write);
  const stops = watchForStops(worker, context, args, io, link);
  const pauses = pausesOf(worker, context);
  pauseOnSignals(pauses);
  const isChild = args.isOn('report-to-parent');
  if (isChild) linkToParent(queue.events, stops.stop);
  const name = args.text('name') ?? config.worker?.name;
  const report = { recorded: config.failed !== 'none', quiet: args.isOn('quiet'), worker: name };
  if (isTerminal(args, io)) {
    const { showJobs } = await import('../job-display.js');
    showJobs(queue.events, output, io, report);
  } else {
    for (const name of reportedEvents(output, report)) {
      queue.events.on(name, (event) => reportJob(event, output, report));
    }
  }

  keepCodeAfterFirst(queue.events);

  const metrics = link?.begin.settleOnly
    ? undefined
    : await metricsOf(worker, context, args, link?.begin.place);
  if (link) {
    link.obey({ stop: (why) => stops.stopFor(why), ...pauses });
    await worker.settleLeft(leftJobs(link.begin.left));
    link.working(stopLimits(args, context));
    if (link.begin.settleOnly) return exitCodes.done;
  }

  const tell = (event: string, fields: object, sentence: string) => {
    if (isChild) return; // the listener tells of itself; a line for each of its children would drown the jobs
    if (output.json) output.object({ time: new Date().toISOString(), event, ...fields });
    else logger.info({}, sentence);
  };
  if (!isChild) reportWorker(queue.events, output, logger);
  const about = { ...describeWorker(worker, args, context), ...(metrics && { metrics: metrics.url }) };
  const place = `${about.queues.join(', ')} of connection ${about.connection}`;
  const jobs = `${about.jobs} ${about.jobs === 1 ? 'job' : 'jobs'} defined`;
  const origin = `pid ${about.pid}, config ${about.config ?? 'built in'}, ${jobs}`;
  tell('worker:started', about, `working ${place} (${origin})`);
  if (!isChild && !output.json) worker.onHalt((halt) => tellHalt(halt, logger)); // else `worker:paused` tells it

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
    metrics?.close();
    await link?.stopped(reason);
  }
}

/** Keeps compiled code once a job was done: the next worker process needs the same functions. */
function keepCodeAfterFirst(events: QueueEvents): void {
  const off = events.on('job:done', () => {
    off();
    keepCompiledCode();
  });
}

/** Opens the port for scrapes and probes, where one is asked for: what that takes is loaded then only. */
async function metricsOf(worker: Worker, context: Context, args: Args, place = 0) {
  if (args.isOn('report-to-parent')) return undefined; // of a listener, one of many in a row
  const address = metricsAddress(args, context.config, place);
  if (address === undefined) return undefined;
  const { serveMetrics } = await import('../metrics/serve.js');
  const { queue } = context;
  return await serveMetrics(address, {
    queue,
    queues: servedQueues(args, context),
    isStopping: () => worker.isStopping,
  });
}

/** Whether somebody looks on as jobs are run. */
function isTerminal(args: Args, io: Io): boolean {
  return io.stdout.isTTY === true && !args.isOn('json') && !args.isOn('quiet');
}

/** Says why jobs are left where they are, whoever asked for it. */
function tellHalt(halt: Halt, logger: Logger): void {
  const why = haltText(halt);
  if (why) logger.info({}, `${why}: takes no jobs there; running ones may end`);
  else logger.info({}, 'nothing is paused any longer: goes on taking jobs');
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

/** Such as `2 running jobs`. */
function runningText({ running }: Worker): string {
  return `${running.length} running ${running.length === 1 ? 'job' : 'jobs'}`;
}

/** Turns signals, a reader that went away and errors that nothing caught into one wish to stop. */
function watchForStops(
  worker: Worker,
  context: Context,
  args: Args,
  io: Io,
  link: SupervisorLink | undefined,
): Stops {
  const { logger } = context;
  const say = (why: string) =>
    logger.info({}, `${why}: no new jobs; ${runningText(worker)} may end. A second signal ends at once.`);
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
      { err: error, running: worker.running.map(({ id }) => id) },
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

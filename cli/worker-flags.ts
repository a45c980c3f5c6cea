import { type Duration, durationToMs } from '../src/duration.js';
import type { Backoff, WorkerOptions } from '../src/index.js';
import { type Args, checkSpan, usage } from './args.js';
import type { Context } from './context.js';

/**
 * Worker options of the flags. Flags that are not given are undefined, so that the config's defaults hold,
 * then the core's.
 *
 * @throws QueueError `E_USAGE` or `E_DURATION` naming the flag.
 */
export function workerOptions(args: Args): WorkerOptions {
  return {
    ...defined('queues', args.list('queue')),
    ...defined('concurrency', args.whole('concurrency', 1)),
    ...defined('prefetch', args.whole('prefetch', 0)),
    ...defined('tries', args.whole('tries', 0)),
    ...defined('backoff', backoffOf(args)),
    ...defined('timeout', args.span('timeout')),
    ...defined('name', args.text('name')),
    ...defined('rest', args.span('rest')),
    ...(args.isOn('force') && { force: true }),
    ...defined('sleep', args.span('sleep')),
    ...defined('shutdownTimeout', args.span('shutdown-timeout')),
    ...defined('maxJobs', args.whole('max-jobs', 0)),
    ...defined('maxTime', args.span('max-time')),
    ...defined('memory', args.whole('memory', 0)),
    ...defined('maxOutage', args.span('max-outage')),
    ...modeOf(args),
  };
}

function modeOf(args: Args): Pick<WorkerOptions, 'once' | 'stopWhenEmpty'> {
  const modes = ['daemon', 'once', 'stop-when-empty'].filter((mode) => args.isOn(mode));
  if (modes.length > 1) {
    throw usage(`--${modes.join(' and --')} exclude each other`, 'Without any of them it runs as a daemon.');
  }
  if (modes.length === 0) return {};
  return { once: modes[0] === 'once', stopWhenEmpty: modes[0] === 'stop-when-empty' };
}

/** @throws QueueError `E_USAGE` where every event is asked for, and silence. */
export function refuseQuietJson(args: Args): void {
  if (args.isOn('json') && args.isOn('quiet')) {
    throw usage('--quiet and --json exclude each other', '--json prints every event.');
  }
}

function backoffOf(args: Args): Backoff | undefined {
  const backoff = args.list('backoff', { called: 'time span', example: '1s,10s,1m' });
  const delay = args.span('delay');
  if (backoff !== undefined && delay !== undefined) {
    throw usage('--backoff and --delay are two names of one setting', 'Keep --backoff.');
  }
  if (delay !== undefined) return delay;
  if (backoff === undefined) return undefined;
  if (backoff.length === 1 && backoff[0] === 'exponential') return 'exponential';
  return backoff.map((part): Duration => checkSpan(part, '--backoff'));
}

function defined<Key extends keyof WorkerOptions>(
  key: Key,
  value: WorkerOptions[Key] | undefined,
): { [K in Key]?: NonNullable<WorkerOptions[K]> } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: NonNullable<WorkerOptions[K]> };
}

/** The queues that a worker of these flags serves. */
export function servedQueues(args: Args, { queue, config }: Context): readonly string[] {
  const configured = config.worker?.queues;
  const own = config.connections[queue.connectionName]?.settings.queue ?? 'default';
  return args.list('queue') ?? (configured?.length ? configured : [own]);
}

/** A time span of the flags, else of the config, else the core's default for it, in ms. */
export function spanMs(args: Args, { config }: Context, option: keyof typeof spanDefaults): number {
  const { flag, without } = spanDefaults[option];
  const given = flag === undefined ? undefined : args.span(flag);
  return durationToMs(given ?? config.worker?.[option] ?? without, option);
}

// The core keeps its defaults to itself; docs/configuration.md and the help name the same ones.
const spanDefaults = {
  grace: { flag: undefined, without: '5s' },
  rest: { flag: 'rest', without: 0 },
  shutdownTimeout: { flag: 'shutdown-timeout', without: '25s' },
  sleep: { flag: 'sleep', without: '3s' },
  timeout: { flag: 'timeout', without: '60s' },
} as const;

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { checkJobId, durationToMs, isQueueError, type PushOptions } from '../../src/index.js';
import { type Args, usage } from '../args.js';
import type { Command } from '../command.js';
import { type Context, withContext } from '../context.js';
import { reportProblem } from '../error-report.js';
import { errorText } from '../error-text.js';
import { exitCodes } from '../exit-codes.js';
import type { Io } from '../io.js';
import { queueOfJob } from '../job-queue.js';
import { findJsonProblem } from '../json-position.js';
import { assertKnown } from '../known-job.js';
import { createOutput, type Output } from '../output.js';
import { plain } from '../plain-text.js';
import { pointInTime } from '../point-in-time.js';
import { nearTimeText, spanText } from '../time-text.js';

/** `queue:push`: one job. */
export const command: Command = {
  flags: {
    data: { kind: 'text', says: 'Data as JSON; @file reads a file, - reads stdin', without: 'null' },
    queue: { kind: 'text', says: 'Queue', without: "the job's own, then the connection's" },
    delay: { kind: 'text', says: 'Wait before it is due: 30, 5m, 2h' },
    at: { kind: 'text', says: 'When it is due, as ISO 8601: 2026-12-24T18:00:00Z' },
    tries: {
      kind: 'text',
      says: 'Deliveries allowed, the first included; 0: no limit',
      without: "the job's",
    },
    'max-exceptions': {
      kind: 'text',
      says: 'How many of them may end with a thrown error; 0: no limit',
      without: "the job's",
    },
    timeout: { kind: 'text', says: 'Longest run of one attempt; 0: no limit', without: "the job's" },
    'retry-until': {
      kind: 'text',
      says: 'When trying ends: a span from when it is due, or a time as in --at',
      without: "the job's",
    },
    id: { kind: 'text', says: 'Id of your own: while a job of it is stored, a second push changes nothing' },
    force: { kind: 'switch', says: 'Push a name that none of these job files defines' },
  },
  positionals: { name: 'Wire name of the job' },
  examples: [
    [`drover queue:push mail.send --data '{"to":"ada@example.com"}'`, 'Now'],
    ['drover queue:push report.build --data @report.json --delay 10m', 'In ten minutes'],
  ],
  exits: [[exitCodes.error, 'an error; on a sync connection also: the job failed']],
  notes: 'A time without a zone in --at is local time.',
  async run(args, io) {
    const name = args.text('name') as string;
    const options = pushOptions(args);
    const data = await readData(args.text('data'), io);
    return withContext(args, io, { jobs: true, startsStore: true }, async (context) => {
      if (!args.isOn('force')) await assertKnown(name, context);
      return push({ name, data, options }, context, createOutput(io, args.isOn('json')), io);
    });
  },
};

async function push(
  job: { readonly name: string; readonly data: unknown; readonly options: PushOptions },
  context: Context,
  output: Output,
  io: Io,
): Promise<number> {
  const { queue, config } = context;
  const { name, data, options } = job;
  const connection = queue.connectionName;
  const driver = config.connections[connection]?.driver;
  let stored = false; // a push whose id is there already resolves as any other
  queue.events.on('queue:pushed', () => {
    stored = true;
  });
  try {
    const id = await queue.push(name, data, options);
    const queueName = options.queue ?? (await queueOfJob(name, context));
    const place = `queue=${plain(queueName)} connection=${plain(connection)}`;
    const what = stored
      ? output.colors.green(driver === 'sync' ? 'ran' : 'pushed')
      : output.colors.yellow('already there');
    const now = Date.now();
    // When the one that is there is due is not for this push to say.
    const dueMs = driver === 'sync' || !stored ? undefined : dueTime(options, now);
    const dueAt = dueMs === undefined ? {} : { dueAt: new Date(dueMs).toISOString() };
    const due = dueMs === undefined ? '' : `  ${dueText(dueMs, now)}`;
    if (output.json) output.object({ id, name, queue: queueName, connection, stored, ...dueAt });
    else output.line(`${what}  ${plain(name)}  ${id}  ${place}${due}`);
  } catch (error) {
    if (isQueueError(error)) throw error;
    // None of drover's errors: it comes from the job itself, which a sync connection runs now.
    const { class: kind, message } = errorText(error);
    const problem = { code: 'E_JOB_FAILED', message: `job ${name} failed: ${kind}: ${message}` };
    reportProblem(problem, io, output.json);
    return exitCodes.error;
  }
  if (driver === 'memory') {
    io.stderr.write('note: a memory connection forgets its jobs when this command ends\n');
  }
  return exitCodes.done;
}

/** When the job is due, or undefined where that is now. */
function dueTime({ delay, at }: PushOptions, nowMs: number): number | undefined {
  const dueMs = delay === undefined ? at?.getTime() : nowMs + durationToMs(delay, '--delay');
  return dueMs !== undefined && dueMs > nowMs ? dueMs : undefined;
}

function dueText(dueMs: number, nowMs: number): string {
  return `due ${nearTimeText(dueMs, nowMs)} (in ${spanText(dueMs - nowMs)})`;
}

function pushOptions(args: Args): PushOptions {
  const options = {
    queue: args.text('queue'),
    delay: args.span('delay'),
    at: dateOf(args.text('at')),
    tries: args.whole('tries', 0),
    maxExceptions: args.whole('max-exceptions', 0),
    timeout: args.span('timeout'),
    retryUntil: pointInTime(args.text('retry-until') ?? '') ?? args.span('retry-until'),
    id: idOf(args.text('id')),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function idOf(id: string | undefined): string | undefined {
  try {
    return id === undefined ? undefined : checkJobId(id);
  } catch (error) {
    throw usage(`--${errorText(error).message}`, 'Use 1 to 64 letters, digits, _ . : or -.');
  }
}

function dateOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const at = pointInTime(text);
  if (at !== undefined) return at;
  throw usage(`--at: '${text}' is not a point in time`, 'Write ISO 8601, such as 2026-12-24T18:00:00Z.');
}

async function readData(data: string | undefined, io: Io): Promise<unknown> {
  if (data === undefined) return undefined;
  if (data === '-') return parse(await readText(io.stdin), 'stdin');
  if (!data.startsWith('@')) return parse(data);
  const file = data.slice(1);
  try {
    return parse(await readFile(resolve(io.cwd, file), 'utf8'), file);
  } catch (error) {
    if (isQueueError(error)) throw error;
    throw usage(`--data: ${file} cannot be read: ${errorText(error).message}`, 'Check the path after the @.');
  }
}

/** @param origin names a file or stdin in the error; undefined for what stands on the command line. */
function parse(text: string, origin?: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const place = placeText(text);
    if (origin !== undefined) throw usage(`--data: ${origin} is no JSON${place}`);
    const fix = `Quote it for the shell: --data '{"key":"value"}'. A text alone is '"text"'.`;
    throw usage(`--data: no JSON${place}`, fix);
  }
}

function placeText(text: string): string {
  const problem = findJsonProblem(text);
  if (problem === undefined) return '';
  const { position, line, column } = problem;
  const found = position < text.length ? `'${text.slice(position, position + 10)}'` : 'the end';
  return ` at position ${position} (line ${line}, column ${column}): ${found} cannot stand there`;
}

import { reportError } from './error-report.js';
import { exitCodes } from './exit-codes.js';
import type { Io } from './io.js';
import { run } from './main.js';

// Taken before anything can put itself in its place: a worker process watches for handlers that call it.
const exit = process.exit.bind(process);

/** Runs the command of this process's arguments and exits with its code. */
export async function runProcess(): Promise<void> {
  const argv = process.argv.slice(2);
  const io = processIo(argv.includes('--json'));
  const code = await run(argv, io);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // At once rather than when the event loop is empty: a handler that cannot be stopped, a timer or a
  // connection of a job file would keep a stopped worker alive.
  exit(code);
}

function processIo(json: boolean): Io {
  const outputGone = new AbortController();
  // A reader that went away (`drover queue:failed | head`) is no error of ours.
  process.stdout.on('error', () => outputGone.abort());
  process.stderr.on('error', () => {});
  let uncaught = (error: unknown): void => {
    reportError(error, io, json);
    exit(exitCodes.error);
  };
  process.on('uncaughtException', (error) => uncaught(error));
  const io: Io = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    outputGone: outputGone.signal,
    onUncaught: (listener) => {
      uncaught = listener;
    },
    exit: (code) => exit(code),
  };
  return io;
}

/** Resolves when a stream has passed on what was written to it, or cannot. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}

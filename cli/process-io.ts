import { reportError } from './error-report.js';
import { exitCodes } from './exit-codes.js';
import type { Io } from './io.js';

// Taken before anything can put itself in its place: a worker process watches for handlers that call it.
const exit = process.exit.bind(process);

/** Exits with a code, once all that was printed is on its way. */
export async function endWith(code: number): Promise<never> {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // At once rather than when the event loop is empty: a handler that cannot be stopped, a timer or a
  // connection of a job file would keep a stopped worker alive.
  return exit(code);
}

/** This process as a command may use it. */
export function processIo(json: boolean): Io {
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
    // Opened where it is read: that takes a millisecond, and workers never do.
    get stdin() {
      return process.stdin;
    },
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

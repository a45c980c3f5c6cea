import type { Readable, Writable } from 'node:stream';

/** Where text goes: a terminal, a pipe or a file. */
export interface TextSink extends Writable {
  readonly isTTY?: boolean | undefined;
  /** Width of a terminal. */
  readonly columns?: number | undefined;
}

/** What a command may use of the process that it runs in. */
export interface Io {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Aborts when nobody reads stdout any longer. */
  readonly outputGone: AbortSignal;
  /**
   * Sets who is told of an error that nothing caught (a stray promise, a timer). Default: it is reported and
   * the process exits with 1.
   */
  onUncaught(listener: (error: unknown) => void): void;
  /** Ends the process at once. */
  exit(code: number): never;
}

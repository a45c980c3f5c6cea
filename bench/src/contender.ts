/** The data of one job: about 150 bytes of JSON once a queue has put its own fields around it. */
export interface JobData {
  /** When it was pushed, on the clock of {@link nowUs}. */
  readonly pushedUs: number;
  readonly text: string;
}

/** Where a contender keeps its jobs. */
export type Place =
  | { readonly store: 'redis'; readonly port: number }
  | { readonly store: 'postgres'; readonly url: string }
  | { readonly store: 'mysql'; readonly url: string }
  | { readonly store: 'sqlite'; readonly file: string };

/** The name of a store that can be measured. */
export type Store = Place['store'];

/** Handles a job; a promise where it takes time. */
export type Handle = (data: JobData) => void | Promise<void>;

/** A queue under test, opened in a process of its own, with the settings that users get without asking. */
export interface Contender {
  /** Stores one job; resolves (or returns) once the store has it. */
  push(data: JobData): unknown;
  /** Stores many jobs in one call, due in `delayMs` from now. Absent where the library has no such call. */
  pushMany?(list: readonly JobData[], delayMs?: number): unknown;
  /** Starts to work, `concurrency` jobs side by side, and goes on until the process ends. */
  work(concurrency: number, handle: Handle): unknown;
  close?(): unknown;
}

/** Microseconds on the monotonic clock of this machine, the same in all its processes. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** A job's data, made now. */
export function jobData(): JobData {
  return { pushedUs: nowUs(), text: 'sixty-four bytes of text that nobody reads but everybody carries.' };
}

/** Imports a package that may not be installed; what of it is used is up to the caller to describe. */
export function importPeer<Module>(name: string): Promise<Module> {
  return import(name) as Promise<Module>;
}

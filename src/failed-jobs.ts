/** Why a job was given up. */
export type FailedReason =
  | 'max-tries'
  | 'max-exceptions'
  | 'retry-until'
  | 'timed-out'
  | 'crashed'
  | 'bad-payload'
  | 'unknown-job'
  | 'lease-lost'
  | 'by-handler';

/** One error of a cause chain, as text. */
export interface ErrorText {
  readonly class: string;
  readonly message: string;
  /** The error's `code`, such as `ECONNREFUSED`, where it has one. */
  readonly code?: string;
}

/**
 * The record of a job that was given up. All text is bounded and free of NUL, and holds only the class, code,
 * message and stack of errors, without the credentials of URLs: other properties of an error (clients, options)
 * may carry secrets.
 */
export interface FailedJob {
  /** A UUID: what the failed-job commands take. */
  readonly uuid: string;
  readonly jobId: string;
  readonly connection: string;
  readonly queue: string;
  /** The job's wire name, or null where the payload could not be read. */
  readonly name: string | null;
  /** The body as it was in the store, byte for byte. */
  readonly payload: string;
  /** In a store with the error's code behind it, as Node writes it: `Error [ECONNREFUSED]`. */
  readonly errorClass: string;
  /** The error's `code`, where it has one. Stores need not keep it: it is read out of what they keep. */
  readonly errorCode?: string;
  readonly message: string;
  readonly stack: string;
  readonly causes: readonly ErrorText[];
  readonly attempts: number;
  readonly reason: FailedReason;
  readonly host: string;
  readonly pid: number;
  readonly failedAtMs: number;
}

/** Which records to list; all conditions hold together. */
export interface FailedJobFilter {
  readonly connection?: string;
  readonly queue?: string;
  readonly name?: string;
  /** Only those that failed at or after this time, in ms since the epoch. */
  readonly sinceMs?: number;
  /** Only those that failed at or before this time, in ms since the epoch. */
  readonly untilMs?: number;
  /** Default 100. */
  readonly limit?: number;
  /** How many of the newest to pass over. Default 0. */
  readonly offset?: number;
}

/** What `retry` did with one record. */
export type RetryOutcome = 'retried' | 'already-there' | 'not-found';

/** Where given-up jobs are kept until somebody looks at them. */
export interface FailedJobStore {
  /**
   * Keeps records. A record of the same connection, queue and job id replaces the older one: a crash
   * between recording and deleting makes the job fail twice, and that is one failed job.
   */
  record(failures: readonly FailedJob[]): Promise<void>;
  /** Newest failure first. */
  list(filter?: FailedJobFilter): Promise<FailedJob[]>;
  /** The records of these uuids or job ids, newest first. */
  find(ids: readonly string[]): Promise<FailedJob[]>;
  /** Removes records by uuid; answers how many were there. */
  forget(uuids: readonly string[]): Promise<number>;
  /** Removes all records, or those that failed before a time (ms since the epoch); answers how many. */
  flush(options?: { readonly beforeMs?: number }): Promise<number>;
  /**
   * Moves records back to their queues of this same store, due now and with no attempt spent, as one
   * operation per call. Present where queue and failed jobs share a store. `already-there` keeps the
   * record: a job of that id is live. The caller passes records of this connection only.
   */
  retry?(uuids: readonly string[]): Promise<RetryOutcome[]>;
}

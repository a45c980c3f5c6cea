import { type Decoded, decodeThinkQueue3, encodeThinkQueue3, type Payload } from './payload.js';

/** What a body may note of an attempt that failed. */
export interface NotedFailure {
  /** Attempts that count as failed, this one included unless no other would have followed anyway. */
  readonly attempts: number;
  /** Deliveries allowed, the first included; 0 sets no limit. */
  readonly tries: number;
  readonly message: string;
  /** Present where the job asked for other data. */
  readonly data?: { readonly value: unknown };
}

/**
 * How a connection writes its jobs: what stands in the store as a job's body, which other programs may read. A driver
 * carries one where it shares its store with programs that write their jobs in another form than think-queue 3.
 *
 * The body stays opaque to the connector, the failed-job store keeps it as it is, and a retry pushes it back so. Which
 * keys or columns there are, how attempts are counted and when a job is due are the connector's.
 */
export interface WireFormat {
  /** Shown to people: `think-3`, `laravel`. */
  readonly name: string;
  /**
   * False where the store cannot hold ids apart that callers chose, such as where others take its jobs and would not
   * free them: a push with an id of its own is then refused. Default true.
   */
  readonly keepsIds?: boolean;
  /**
   * The body of a new job. `data` of the payload is known to be what JSON can hold.
   *
   * @throws QueueError `E_PAYLOAD_INVALID` or `E_UNSUPPORTED` for what the form has no place for.
   */
  encode(payload: Payload): string;
  /**
   * The queue that a job of this name belongs in, in forms where that is one and the same. Absent elsewhere.
   *
   * @throws QueueError `E_QUEUE_NAME`.
   */
  queueOf?(job: string): string;
  /**
   * The body that a job goes on with after an attempt that failed, into the next one or to the failed jobs, in forms
   * that note it there. Absent where a body stays as it is. Connectors of such a form take the `body` of a release.
   * Where it throws the body stays as it is.
   */
  noteFailure?(body: string, failure: NotedFailure): string;
  /** Reads a body, also one of another program. Must not throw: what cannot be run is told as `problem`. */
  decode(body: string): Decoded;
}

/** think-queue 3.x: the form of every connection that names no other. */
export const nativeFormat: WireFormat = {
  name: 'think-3',
  encode: encodeThinkQueue3,
  decode: decodeThinkQueue3,
};

import { monotonicMs, PatientTimer } from '../../src/index.js';
import type { Client } from './client.js';

/**
 * Sees to it that what waits in a connection is answered: one that leads nowhere tells nothing by itself. Its timer outlives
 * the waits, most of which end soon: to set and clear one for each would take longer than all else about it.
 */
export class Vigil {
  readonly #ms: number;
  #timer: PatientTimer | undefined;
  /** On the monotonic clock; Infinity where nothing is waited for. */
  #untilMs = Number.POSITIVE_INFINITY;
  #client: Client | undefined;

  /** @param ms what an answer may take. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** From now on an answer shall come in time, or the client connects anew. */
  begin(client: Client): void {
    this.#untilMs = monotonicMs() + this.#ms;
    this.#client = client;
    if (this.#timer === undefined) this.#arm(this.#ms);
  }

  /** The answer has come. */
  end(): void {
    this.#untilMs = Number.POSITIVE_INFINITY;
  }

  /** Nothing will be waited for. */
  stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#client = undefined;
  }

  /** It keeps no process alive; the connection that the answer must come over does. */
  #arm(ms: number): void {
    this.#timer = new PatientTimer(ms, () => this.#look(), { keepsAlive: false });
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#untilMs === Number.POSITIVE_INFINITY) return;
    const leftMs = this.#untilMs - monotonicMs();
    if (leftMs > 0) this.#arm(leftMs);
    else this.#client?.reconnect();
  }
}

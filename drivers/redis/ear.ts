import type { Client } from './client.js';
import { whenReady } from './ready.js';

/** How long one command may block: then it is sent again, which shows that the connection still lives. */
const blockedSeconds = 20;
/** What the answer to it may take beyond that. */
const answersWithinMs = 5000;
/** A server that refuses (full, a replica, away) is asked again after this. */
const deafMs = 1000;

/** How an {@link Ear} listens. */
export interface EarOptions {
  /** Makes the connection that the command blocks; called when it is first needed. */
  open(): Promise<Client>;
  /** A blocking command without its timeout, which comes last. */
  readonly command: readonly string[];
  /** Gets the reply to the command. */
  heard(reply: unknown): void;
  /** Whether somebody still waits, so that a command whose time is over is sent again. */
  isWanted(): boolean;
  /** Told why the command failed. Waiting goes on without it: who waits looks once a second. */
  onError(error: unknown): void;
}

/** A connection that a blocking command waits in. */
export class Ear {
  readonly #options: EarOptions;
  #client: Promise<Client> | undefined;
  #isListening = false;
  #deafUntilMs = 0;
  #closed = false;

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /** Sends the command, unless it waits already or has just failed. Never rejects. */
  listen(): void {
    if (this.#isListening || this.#closed || performance.now() < this.#deafUntilMs) return;
    this.#isListening = true;
    void this.#listen();
  }

  /** Drops the connection; what it waited for is not heard. */
  close(): void {
    this.#closed = true;
    this.#hangUp();
  }

  /** The next connection is made anew: the key may be at another server by then. */
  #hangUp(): void {
    void this.#client?.then(
      (client) => client.end(),
      () => undefined,
    );
    this.#client = undefined;
  }

  async #listen(): Promise<void> {
    let reply: unknown;
    try {
      reply = await this.#ask();
    } catch (error) {
      if (this.#closed) return;
      this.#deafUntilMs = performance.now() + deafMs;
      this.#hangUp();
      this.#options.onError(error);
    } finally {
      this.#isListening = false;
    }
    if (this.#closed) return;
    if (reply !== undefined && reply !== null) this.#options.heard(reply);
    else if (this.#options.isWanted()) this.listen();
  }

  async #ask(): Promise<unknown> {
    this.#client ??= this.#options.open().catch((error: unknown) => {
      this.#client = undefined; // the next time tries anew
      throw error;
    });
    const client = await this.#client;
    // A connection that leads nowhere tells nothing by itself.
    const timer = setTimeout(() => client.reconnect(), blockedSeconds * 1000 + answersWithinMs);
    try {
      await whenReady(client);
      if (this.#closed) return undefined;
      const [name, ...args] = this.#options.command;
      return await client.redis.call(name, [...args, blockedSeconds]);
    } finally {
      clearTimeout(timer);
    }
  }
}

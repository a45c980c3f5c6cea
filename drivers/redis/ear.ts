import { monotonicMs } from '../../src/index.js';
import type { Client } from './client.js';
import { whenReady } from './ready.js';
import type { Script } from './script.js';
import { Vigil } from './vigil.js';

/** How long one command may block: then it is sent again, which shows that the connection still lives. */
const blockedSeconds = 20;
/** What the answer to it may take beyond that. */
const answersWithinMs = 5000;
/** A server that refuses (full, a replica, away) is asked again after this. */
const deafMs = 1000;

/** A script that the server carries out at the very moment when it lets go of the command before it. */
export interface FollowUp {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** How long it may wait for its turn: the command before it blocks no longer. */
  readonly withinMs: number;
  /**
   * Gets the answer, its texts as buffers, or undefined where none will come; tells whether there is news in it for who
   * waits. Must not throw.
   */
  answered(answer: unknown): boolean;
}

/** How an {@link Ear} listens. */
export interface EarOptions {
  /** Makes the connection that the command blocks; called when it is first needed. */
  open(): Promise<Client>;
  /** A blocking command without its timeout, which comes last. */
  readonly command: readonly string[];
  /** What to send right behind the command, if anything. It runs too where the command's time is over. */
  followUp?(): FollowUp | undefined;
  /** Gets the reply to the command, its texts as buffers; null where what followed it has brought news. */
  heard(reply: unknown): void;
  /** Whether somebody still waits, so that a command whose time is over is sent again. */
  isWanted(): boolean;
  /** Told why the command failed, unless what followed it had news. Waiting goes on without it: who waits looks once a second. */
  onError(error: unknown): void;
}

/** A connection that a blocking command waits in. */
export class Ear {
  readonly #options: EarOptions;
  #client: Promise<Client> | undefined;
  #isListening = false;
  readonly #vigil = new Vigil(blockedSeconds * 1000 + answersWithinMs);
  #following: Promise<boolean> | undefined;
  /** Whether the script that follows may be called by its name. */
  #isScriptKnown = false;
  #deafUntilMs = 0;
  #closed = false;

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /** Sends the command, unless it waits already or has just failed. Never rejects. */
  listen(): void {
    if (this.#isListening || this.#closed || monotonicMs() < this.#deafUntilMs) return;
    this.#isListening = true;
    void this.#listen();
  }

  /**
   * Drops the connection; what it waited for is not heard. The server forgets what it had not begun with; what it had
   * done it tells before it hangs up too, and that is taken in by the time that this resolves.
   */
  async close(): Promise<void> {
    this.#closed = true;
    // What has come in already is read first, however long this process had no turn: the client drops it soon after.
    await wholeTurn();
    this.#hangUp();
    await this.#following;
  }

  /** The next connection is made anew: the key may be at another server by then. */
  #hangUp(): void {
    this.#vigil.stop();
    void this.#client?.then(
      (client) => client.end(),
      () => undefined,
    );
    this.#client = undefined;
  }

  async #listen(): Promise<void> {
    let reply: unknown = null;
    let isNews = false;
    try {
      const client = await this.#connected();
      if (this.#closed) return;
      this.#vigil.begin(client);
      await whenReady(client);
      if (this.#closed) return;
      const followUp = this.#options.followUp?.();
      const blocked = this.#block(client, followUp);
      isNews = await this.#follow(client, followUp);
      // What followed is answered behind it. Where that has news, an error of the command is told by the next one.
      if (!isNews) reply = await blocked;
    } catch (error) {
      if (this.#closed) return;
      this.#deafUntilMs = monotonicMs() + deafMs;
      this.#hangUp();
      this.#options.onError(error);
    } finally {
      this.#vigil.end();
      this.#isListening = false;
    }
    if (this.#closed) return;
    if (isNews || reply !== null) this.#options.heard(reply);
    else if (this.#options.isWanted()) this.listen();
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#options.open().catch((error: unknown) => {
      this.#client = undefined; // the next time tries anew
      throw error;
    });
    return this.#client;
  }

  #block({ redis }: Client, followUp: FollowUp | undefined): Promise<unknown> {
    const [name, ...args] = this.#options.command;
    const seconds = Math.min(blockedSeconds, (followUp?.withinMs ?? Number.POSITIVE_INFINITY) / 1000);
    const blocked = redis.callBuffer(name, [...args, seconds]);
    blocked.catch(() => undefined); // told once the answer to what follows is in, which may come all the same
    return blocked;
  }

  /** Answers whether there was news. Never rejects: what is wrong with the connection is told by the command before. */
  #follow({ redis }: Client, followUp: FollowUp | undefined): Promise<boolean> {
    if (followUp === undefined) return nothing;
    const { script, keys, args, answered } = followUp;
    const [name, text] = this.#isScriptKnown ? ['evalsha', script.sha] : ['eval', script.lua];
    this.#following = redis.callBuffer(name, [text, keys.length, ...keys, ...args]).then(
      (answer) => {
        this.#isScriptKnown = true;
        return answered(answer);
      },
      () => {
        this.#isScriptKnown = false; // it may be another server, or its scripts were flushed
        return answered(undefined);
      },
    );
    return this.#following;
  }
}

const nothing = Promise.resolve(false);

/** Resolves when the event loop has looked at its sockets: the first immediate may come right after such a look. */
async function wholeTurn(): Promise<void> {
  for (let looks = 0; looks < 2; looks++) await new Promise((resolve) => setImmediate(resolve));
}

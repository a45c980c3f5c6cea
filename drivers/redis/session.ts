import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, QueueError } from '../../src/index.js';
import { borrowClient, type Client, openBeside, openClient } from './client.js';
import type { Commands } from './commands.js';
import { Deadlines } from './deadlines.js';
import { explain } from './errors.js';
import { warnOfEviction } from './eviction.js';
import type { RedisSettings } from './options.js';
import { isLostWhileMade, whenReady } from './ready.js';
import type { RedisInstance } from './redis-types.js';
import type { Script } from './script.js';

/** Connects at the first verb, runs commands under a deadline of our own, and closes after the last. */
export class Session implements Commands {
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #mayEvict: boolean;
  #client: Promise<Client> | undefined;
  #closing: Promise<void> | undefined;
  /** How many connections were given up. */
  #connectionLife = 0;
  /** True while the close of a connection given up may still come. */
  #isDropping = false;
  #readying: Promise<void> | undefined;
  #policyCheck: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #deadlines = new Deadlines();
  /** The one of `#client`, once it is there. */
  #opened: Client | undefined;

  /** @param options.mayEvict true where the server may drop keys when it is full. */
  constructor(settings: RedisSettings, logger: Logger, options: { readonly mayEvict?: boolean } = {}) {
    this.#settings = settings;
    this.#logger = logger;
    this.#mayEvict = options.mayEvict ?? false;
  }

  get commandTimeoutMs(): number {
    return this.#settings.commandTimeoutMs;
  }

  /**
   * Runs one command.
   *
   * @param _key is for a Cluster to know; this is one server.
   * @param timeoutMs default: the command timeout of the options.
   * @throws QueueError for whatever goes wrong; `E_QUEUE_CLOSED` after `close`.
   */
  async run<T>(
    _key: string,
    command: (redis: RedisInstance) => Promise<T>,
    timeoutMs = this.commandTimeoutMs,
  ): Promise<T> {
    if (this.#closing !== undefined) throw closed(this.#settings.place);
    const pending = this.#run(command, timeoutMs);
    this.#underWay.add(pending);
    try {
      return await pending;
    } catch (error) {
      throw explain(error, this.#settings.place);
    } finally {
      this.#underWay.delete(pending);
    }
  }

  /** Runs a script, sending its text only where the server does not know it yet. Answers texts as buffers. */
  script<T>(
    { sha, lua }: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    timeoutMs?: number,
  ): Promise<T> {
    const command = (redis: RedisInstance): Promise<T> =>
      redis.callBuffer('EVALSHA', [sha, keys.length, ...keys, ...args]).catch((error: unknown) => {
        // Nothing ran: the server was restarted, or its scripts were flushed.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return redis.callBuffer('EVAL', [lua, keys.length, ...keys, ...args]);
      }) as Promise<T>;
    return this.run('', command, timeoutMs);
  }

  async openBlocking(): Promise<Client> {
    if (this.#closing !== undefined) throw closed(this.#settings.place);
    const { client } = this.#settings;
    return client === undefined ? await openClient(this.#settings, this.#logger) : openBeside(client);
  }

  /** Waits for the commands under way, then ends the connection that was opened here. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #run<T>(command: (redis: RedisInstance) => Promise<T>, timeoutMs: number): Promise<T> {
    const client = this.#opened ?? (await this.#whenOpened());
    const { place, clientOptions } = this.#settings;
    const isByTls = clientOptions.tls !== undefined;
    const life = this.#connectionLife;
    let isSent = false;
    let isLate = false;
    const attempt = async (): Promise<T> => {
      for (;;) {
        if (client.redis.status !== 'ready' || this.#policyCheck === undefined) await this.#whenReady(client);
        if (isLate) throw new Error('nobody waits for it any more');
        isSent = true;
        try {
          return await command(client.redis);
        } catch (error) {
          // A master that became a replica stays one, and one without its replicas may have lost them to a new master:
          // the name may lead there by now.
          if (isDemoted(error)) this.#giveUp(client, life);
          if (isEnded(error))
            throw unavailable(`${place} was disconnected before it answered`, undefined, true);
          if (!isUnsent(error)) throw error;
          isSent = false;
          // The client takes a moment to notice that its connection is gone.
          await pause(10);
        }
      }
    };
    return await this.#deadlines.within(attempt(), timeoutMs, () => {
      isLate = true;
      this.#giveUp(client, life);
      if (!isSent)
        return unavailable(
          `${place} could not be reached within ${timeoutMs} ms; nothing was sent`,
          isByTls ? 'Check that Redis runs there, and that the port speaks TLS.' : undefined,
        );
      const what = `gave no answer within ${timeoutMs} ms; whether it did what was asked is open`;
      return unavailable(`${place} ${what}`, undefined, true);
    });
  }

  /** Drops a connection that answers nothing, once for all the commands that it let down. */
  #giveUp(client: Client, life: number): void {
    if (life !== this.#connectionLife) return;
    this.#connectionLife += 1;
    this.#isDropping = true;
    client.reconnect();
  }

  /** One wait for all the commands that need it: each would add its listeners to the client. */
  async #whenReady(client: Client): Promise<void> {
    const { redis } = client;
    if (redis.status !== 'ready') {
      this.#readying ??= this.#untilReady(client).finally(() => {
        this.#readying = undefined;
      });
      await this.#readying;
    }
    // Nobody waits for it: it never rejects, and its answer comes before that of the command that follows.
    if (!this.#mayEvict) this.#policyCheck ??= warnOfEviction(redis, this.#settings.place, this.#logger);
  }

  async #untilReady(client: Client): Promise<void> {
    try {
      await whenReady(client);
    } catch (error) {
      // The close that comes first is that of the connection given up, not of the one waited for.
      if (!this.#isDropping || !isLostWhileMade(error) || client.redis.status === 'end') throw error;
      await whenReady(client);
    } finally {
      this.#isDropping = false;
    }
  }

  #whenOpened(): Promise<Client> {
    this.#client ??= this.#open().catch((error: unknown) => {
      // So that the next verb tries anew.
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    const { client } = this.#settings;
    this.#opened =
      client === undefined ? await openClient(this.#settings, this.#logger) : borrowClient(client);
    return this.#opened;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    const client = await this.#client?.catch(() => undefined);
    client?.end();
  }
}

/** What ioredis says of a command for which it had no connection. */
function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable");
}

function closed(place: string): QueueError {
  return new QueueError('E_QUEUE_CLOSED', `the connection to ${place} is closed`);
}

/** What ioredis says of a command in flight when the application, or its own settings, ended the client for good. */
function isEnded(error: unknown): boolean {
  return error instanceof Error && error.message === 'Connection is closed.';
}

/** Redis 6.2 puts what a script met behind where it met it: `ERR Error running script …: -READONLY …`. */
function isDemoted(error: unknown): boolean {
  return (
    error instanceof Error && /(?:^|-)(?:READONLY|UNBLOCKED|MASTERDOWN|NOREPLICAS)\b/.test(error.message)
  );
}

function unavailable(
  what: string,
  fix = 'Check that Redis runs there and can be reached.',
  ambiguous = false,
): QueueError {
  return new QueueError('E_STORE_UNAVAILABLE', what, { fix, transient: true, ambiguous });
}

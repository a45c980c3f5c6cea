import { setTimeout as pause } from 'node:timers/promises';
import { Deadlines, type Logger, type QueueError } from '../../src/index.js';
import { closed, unavailable } from './away.js';
import { type Call, isDemoted, isEnded, isUnknownScript, isUnsent, sent } from './call.js';
import { borrowClient, type Client, openBeside, openClient } from './client.js';
import type { Commands, Transaction } from './commands.js';
import { explain } from './errors.js';
import { warnOfEviction } from './eviction.js';
import type { RedisSettings } from './options.js';
import { isLostWhileMade, whenReady } from './ready.js';
import type { RedisInstance } from './redis-types.js';
import type { Script } from './script.js';
import { type NodeAddress, nameOf } from './slots.js';
import { TransactionRights, transact } from './transaction.js';

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
  readonly #deadlines = new Deadlines();
  /** The one of `#client`, once it is there. */
  #opened: Client | undefined;
  /** Of a client of our own: one of the application may queue some commands and not others. */
  #rights: TransactionRights | undefined;

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
  run<T>(
    _key: string,
    command: (redis: RedisInstance) => Promise<T>,
    timeoutMs = this.commandTimeoutMs,
  ): Promise<T> {
    return this.#run({ command, life: 0, isSent: false, isLate: false }, timeoutMs);
  }

  runOnEach<T>(command: (redis: RedisInstance) => Promise<T>): Promise<Map<string, T>> {
    return this.run('', async (redis) => {
      const servers = redis.isCluster ? (redis.nodes?.('master') ?? []) : [redis];
      const place = ({ options }: RedisInstance): string => nameOf(options as NodeAddress);
      return new Map(
        await Promise.all(servers.map(async (one): Promise<[string, T]> => [place(one), await command(one)])),
      );
    });
  }

  /** Runs a script, sending its text only where the server does not know it yet. Answers texts as buffers. */
  script<T>(
    { sha, lua }: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    timeoutMs = this.commandTimeoutMs,
  ): Promise<T> {
    const rest = [keys.length, ...keys, ...args];
    const call: Call<T> = {
      command: (redis) => redis.callBuffer('evalsha', [sha, ...rest]),
      ifUnknown: (redis) => redis.callBuffer('eval', [lua, ...rest]),
      life: 0,
      isSent: false,
      isLate: false,
    };
    return this.#run(call, timeoutMs);
  }

  transaction<T>({ parts, harmless, otherwise }: Transaction<T>): Promise<T> {
    const client = this.#opened;
    const isClosing = this.#closing !== undefined;
    if (client === undefined || isClosing || !this.#isReady(client)) return otherwise();
    if (this.#rights?.areThere(client.redis, harmless) !== true) return otherwise();
    const command = (redis: RedisInstance): Promise<T> => transact<T>(redis, parts());
    const call: Call<T> = { command, life: this.#connectionLife, isSent: false, isLate: false };
    return this.#deadlines.within(sent(client, call), this.commandTimeoutMs, {
      late: () => this.#late(client, call, this.commandTimeoutMs),
      failed: (error) => {
        this.#rights?.forget(); // they may have changed
        return isUnsent(error) ? otherwise() : this.#recover(client, call, error);
      },
    });
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

  #run<T>(call: Call<T>, timeoutMs: number): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.#settings.place));
    if (this.#opened !== undefined) return this.#runOn(this.#opened, call, timeoutMs);
    return this.#whenOpened().then(
      (client) => this.#runOn(client, call, timeoutMs),
      (error: unknown) => {
        throw explain(error, this.#settings.place);
      },
    );
  }

  #runOn<T>(client: Client, call: Call<T>, timeoutMs: number): Promise<T> {
    call.life = this.#connectionLife;
    const answer = this.#isReady(client) ? sent(client, call) : this.#send(client, call);
    return this.#deadlines.within(answer, timeoutMs, {
      late: () => this.#late(client, call, timeoutMs),
      failed: (error) => this.#recover(client, call, error),
    });
  }

  /** Goes on after an error. */
  async #recover<T>(client: Client, call: Call<T>, error: unknown): Promise<T> {
    try {
      await this.#assertRepeatable(client, call, error);
      return await this.#send(client, call);
    } catch (last) {
      throw explain(last, this.#settings.place);
    }
  }

  async #send<T>(client: Client, call: Call<T>): Promise<T> {
    for (;;) {
      if (!this.#isReady(client)) await this.#whenReady(client);
      if (call.isLate) throw new Error('nobody waits for it any more');
      try {
        return await sent(client, call);
      } catch (error) {
        await this.#assertRepeatable(client, call, error);
      }
    }
  }

  /** Resolves when a command may be sent again that did nothing; else throws what became of it. */
  async #assertRepeatable<T>(client: Client, call: Call<T>, error: unknown): Promise<void> {
    const { place } = this.#settings;
    // A master that became a replica stays one, and one without its replicas may have lost them to a new master:
    // the name may lead there by now.
    if (isDemoted(error)) this.#giveUp(client, call.life);
    if (isEnded(error)) throw unavailable(`${place} was disconnected before it answered`, undefined, true);
    if (call.ifUnknown !== undefined && isUnknownScript(error)) {
      call.command = call.ifUnknown;
      return;
    }
    if (!isUnsent(error)) throw error;
    call.isSent = false;
    // The client takes a moment to notice that its connection is gone.
    await pause(10);
  }

  /** Gives a command up whose time is over; answers what is said of it. */
  #late(client: Client, call: Call<unknown>, timeoutMs: number): QueueError {
    const { place, clientOptions } = this.#settings;
    call.isLate = true;
    this.#giveUp(client, call.life);
    if (!call.isSent) {
      const isByTls = clientOptions.tls !== undefined;
      return unavailable(
        `${place} could not be reached within ${timeoutMs} ms; nothing was sent`,
        isByTls ? 'Check that Redis runs there, and that the port speaks TLS.' : undefined,
      );
    }
    const what = `gave no answer within ${timeoutMs} ms; whether it did what was asked is open`;
    return unavailable(`${place} ${what}`, undefined, true);
  }

  #isReady({ redis }: Client): boolean {
    return redis.status === 'ready' && (this.#mayEvict || this.#policyCheck !== undefined);
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
    if (this.#opened.isOurs) this.#rights = new TransactionRights(this.#opened.redis);
    return this.#opened;
  }

  async #close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await this.#deadlines.whenIdle();
    client?.end();
  }
}

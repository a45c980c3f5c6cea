import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TableNames } from '../../migrations/index.js';
import { type Logger, QueueError, within } from '../../src/index.js';
import { boundedAlone } from './bounded-alone.js';
import type { Client } from './client.js';
import { conflictBudgetMs, retryConflicts } from './conflicts.js';
import type { Answer, BoundedAlone, Dialect } from './dialects/dialect.js';
import { explain, NotConnected } from './errors.js';
import { tooLate } from './lend.js';
import { migrate, outdatedSchema, pendingScript, schemaState } from './schema.js';
import type { SchemaStep } from './schema-steps.js';
import type { DatabaseKind } from './target.js';
import { connectionOf } from './transaction.js';

/** What a session works with. */
export interface SessionOptions<Connection> {
  readonly kind: DatabaseKind;
  readonly dialect: Dialect<Connection>;
  readonly tables: TableNames;
  /** The schema of the connection. */
  readonly steps: readonly SchemaStep[];
  readonly autoMigrate: boolean;
  readonly logger: Logger;
  /** Opens the connections; called by the first verb, and again when that failed. */
  connect(): Promise<Client<Connection>>;
  /** How long a verb may wait for its server, in ms; nothing is waited for without it. */
  readonly commandTimeoutMs?: number;
  /** How long a verb tries against locks of other processes, in ms. Default 10,000. */
  readonly conflictBudgetMs?: number;
}

// How long verbs may follow each other, in ms, before one of them lets timers and signals in.
const longestStretchMs = 10;

/** How long migrations may take: they wait for other processes that migrate, and large tables take their time. */
const migrationTimeoutMs = 600_000;

/** Opens the database at the first verb, runs verbs on it with retries, and closes it after the last. */
export class Session<Connection> {
  readonly #options: SessionOptions<Connection>;
  #client: Promise<Client<Connection>> | undefined;
  #ready: Promise<Client<Connection>> | undefined;
  #readyClient: Client<Connection> | undefined;
  #closing: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #lastTurnAt = performance.now();
  #calls = 0;

  constructor(options: SessionOptions<Connection>) {
    this.#options = options;
  }

  /** How often it was asked for anything. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Runs one verb on a connection, with the schema in place.
   *
   * @throws QueueError for whatever goes wrong; `E_QUEUE_CLOSED` after `close`.
   */
  run<T>(verb: (connection: Connection) => Answer<T>): Promise<T> {
    return this.#track(async () => {
      if (this.#isLongStretch) await this.#letOthersIn();
      // At once where it is ready: the next trip goes ahead of the handlers.
      return await this.#retried(this.#readyClient ?? (await this.#whenReady()), verb);
    });
  }

  /**
   * Runs one verb inside a transaction of the application, on its connection alone: where that is the only one of
   * its pool, looking after the schema on another would wait for ever. Nothing is repeated, as an error has
   * spoilt the transaction.
   */
  within<T>(transaction: unknown, verb: (connection: Connection) => Answer<T>): Promise<T> {
    return this.#track(async () => await verb(await connectionOf(transaction, this.#options.kind)));
  }

  /** A connection of its own beside the pool; see `Client.openAlone`. */
  openAlone(): Promise<BoundedAlone<Connection>> {
    return this.#track(async () => {
      const { commandTimeoutMs = 10_000, dialect } = this.#options;
      const opening = (await this.#whenReady()).openAlone();
      const alone = await within(opening, commandTimeoutMs, () => {
        opening.then(({ end }) => end()).catch(() => undefined);
        return tooLate(dialect.place, commandTimeoutMs, false);
      });
      return boundedAlone(alone, dialect, commandTimeoutMs);
    });
  }

  /** Brings the schema up to date, whatever `autoMigrate` says; answers the names of the steps taken. */
  migrate(): Promise<string[]> {
    return this.#track(async () => await this.#migrate(await this.#whenConnected()));
  }

  /** Runs one task on a connection, whatever the schema is: nothing is migrated. */
  look<T>(task: (connection: Connection) => Answer<T>): Promise<T> {
    return this.#track(async () => await this.#retried(await this.#whenConnected(), task));
  }

  /** What `migrate` would run. */
  pendingScript(): Promise<string[]> {
    return this.#track(async () => {
      const { dialect, tables, steps } = this.#options;
      const client = await this.#whenConnected();
      return await this.#retried(client, (connection) =>
        pendingScript(dialect, connection, client.knex, tables, steps),
      );
    });
  }

  /**
   * Waits for the verbs under way, then ends the connections that were opened here.
   *
   * @param last runs after those verbs, on a connection; what it throws is dropped.
   */
  close(last?: (connection: Connection) => Answer<void>): Promise<void> {
    this.#closing ??= this.#close(last);
    return this.#closing;
  }

  /** The `QueueError` for what a connection beside the pool threw. */
  explained(error: unknown): QueueError {
    return explain(error, this.#options.dialect);
  }

  async #track<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new QueueError('E_QUEUE_CLOSED', `the connection to ${this.#options.dialect.place} is closed`);
    }
    this.#calls += 1;
    const pending = call();
    this.#underWay.add(pending);
    try {
      return await pending;
    } catch (error) {
      throw explain(error, this.#options.dialect);
    } finally {
      this.#underWay.delete(pending);
    }
  }

  #retried<T>(
    client: Client<Connection>,
    task: (connection: Connection) => Answer<T>,
    deadlineMs = this.#options.commandTimeoutMs,
  ): Promise<T> {
    const { dialect, conflictBudgetMs: budgetMs = conflictBudgetMs } = this.#options;
    const isConflict = (error: unknown): boolean =>
      dialect.isConflict(error instanceof NotConnected ? error.cause : error);
    return retryConflicts(() => client.use(task, deadlineMs), isConflict, budgetMs);
  }

  /**
   * SQLite's verbs wait for nothing, so a loop over them would never give the event loop a turn: leases
   * would not be extended and signals not be seen while the backlog lasts. Those of servers wait for their answers.
   */
  get #isLongStretch(): boolean {
    return this.#options.kind === 'sqlite' && performance.now() - this.#lastTurnAt >= longestStretchMs;
  }

  async #letOthersIn(): Promise<void> {
    await nextTurn();
    this.#lastTurnAt = performance.now();
  }

  #whenConnected(): Promise<Client<Connection>> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      // So that the next verb tries anew.
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  #whenReady(): Promise<Client<Connection>> {
    this.#ready ??= this.#prepare().then(
      (client) => {
        this.#readyClient = client;
        return client;
      },
      (error: unknown) => {
        this.#ready = undefined;
        throw error;
      },
    );
    return this.#ready;
  }

  async #connect(): Promise<Client<Connection>> {
    const client = await this.#options.connect();
    try {
      // The first use opens the file, which may meet the locks of a process that opens it as well.
      await this.#retried(client, () => {});
      return client;
    } catch (error) {
      await client.destroy();
      throw error;
    }
  }

  async #prepare(): Promise<Client<Connection>> {
    const { dialect, tables, steps, autoMigrate } = this.#options;
    const client = await this.#whenConnected();
    const state = await this.#retried(client, (connection) =>
      schemaState(dialect, connection, tables, steps),
    );
    if (state === 'current') return client;
    if (autoMigrate) await this.#migrate(client);
    else if (state === 'outdated') throw outdatedSchema(dialect.place);
    return client;
  }

  async #migrate(client: Client<Connection>): Promise<string[]> {
    const { dialect, tables, steps, logger, commandTimeoutMs } = this.#options;
    const deadlineMs = commandTimeoutMs === undefined ? undefined : migrationTimeoutMs;
    const task = (connection: Connection) => migrate(dialect, connection, client.knex, tables, steps);
    const names = await this.#retried(client, task, deadlineMs);
    if (names.length > 0)
      logger.info({ database: dialect.place, migrations: names }, 'migrated the queue tables');
    return names;
  }

  async #close(last?: (connection: Connection) => Answer<void>): Promise<void> {
    await Promise.allSettled(this.#underWay);
    const client = await this.#client?.catch(() => undefined);
    await nextTurn(); // for what follows from these verbs
    if (client && last) await this.#retried(client, last).catch(() => undefined);
    await client?.destroy();
  }
}

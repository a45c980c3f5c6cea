import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TableNames } from '../../migrations/index.js';
import { type Logger, monotonicMs, QueueError, within } from '../../src/index.js';
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
export interface SessionOptions<Connection, D extends Dialect<Connection>> {
  readonly kind: DatabaseKind;
  /** Names the database to people; see `Dialect.place`. */
  readonly place: string;
  /** Under way from the start, beside whatever else is loaded before the first verb. */
  readonly loading: Promise<D>;
  readonly tables: TableNames;
  /** The schema of the connection. */
  readonly steps: readonly SchemaStep[];
  readonly autoMigrate: boolean;
  readonly logger: Logger;
  /** Opens the connections; called by the first verb, and again when that failed. */
  connect(dialect: D): Promise<Client<Connection>>;
  /** How long a verb may wait for its server, in ms; nothing is waited for without it. */
  readonly commandTimeoutMs?: number;
  /** How long a verb tries against locks of other processes, in ms. Default 10,000. */
  readonly conflictBudgetMs?: number;
}

// How long verbs may follow each other, in ms, before one of them lets timers and signals in.
const longestStretchMs = 10;

/** How long migrations may take: they wait for other processes that migrate, and large tables take their time. */
const migrationTimeoutMs = 600_000;

/** One verb: a statement or more of the dialect's, on a connection. */
export type Verb<Connection, D, T> = (connection: Connection, dialect: D) => Answer<T>;

/** What all verbs after the first find ready. */
interface Opened<Connection, D> {
  readonly client: Client<Connection>;
  readonly dialect: D;
  readonly isConflict: (error: unknown) => boolean;
}

/** Opens the database at the first verb, runs verbs on it with retries, and closes it after the last. */
export class Session<Connection, D extends Dialect<Connection> = Dialect<Connection>> {
  readonly #options: SessionOptions<Connection, D>;
  #opening: Promise<Opened<Connection, D>> | undefined;
  #preparing: Promise<Opened<Connection, D>> | undefined;
  #ready: Opened<Connection, D> | undefined;
  #closing: Promise<void> | undefined;
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #lastTurnAt = monotonicMs();
  #calls = 0;

  constructor(options: SessionOptions<Connection, D>) {
    this.#options = options;
    options.loading.catch(() => undefined); // for the first verb to tell
  }

  /** How often it was asked for anything. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Runs one verb on a connection, with the schema in place: at once where that can be, as the next trip goes ahead of the
   * handlers, and each promise on the way would cost a push of SQLite more than all that is checked of it.
   *
   * @param isUrgent lets nobody in before: for what is followed by a verb that does.
   * @throws QueueError for whatever goes wrong; `E_QUEUE_CLOSED` after `close`.
   */
  run<T>(verb: Verb<Connection, D, T>, isUrgent = false): Promise<T> {
    return this.#track(() => {
      const ready = this.#ready;
      const waits = this.#isLongStretch && !isUrgent;
      return ready === undefined || waits ? this.#runLater(verb, waits) : this.#retried(ready, verb);
    });
  }

  async #runLater<T>(verb: Verb<Connection, D, T>, waits: boolean): Promise<T> {
    if (waits) await this.#letOthersIn();
    return await this.#retried(this.#ready ?? (await this.#whenReady()), verb);
  }

  /**
   * Runs one verb inside a transaction of the application, on its connection alone: where that is the only one of
   * its pool, looking after the schema on another would wait for ever. Nothing is repeated, as an error has
   * spoilt the transaction.
   */
  within<T>(transaction: unknown, verb: Verb<Connection, D, T>): Promise<T> {
    return this.#track(async () => {
      const { kind, loading } = this.#options;
      return await verb(await connectionOf(transaction, kind), await loading);
    });
  }

  /** A connection of its own beside the pool; see `Client.openAlone`. */
  openAlone(): Promise<BoundedAlone<Connection>> {
    return this.#track(async () => {
      const { commandTimeoutMs = 10_000 } = this.#options;
      const { client, dialect } = await this.#whenReady();
      const opening = client.openAlone();
      const alone = await within(opening, commandTimeoutMs, () => {
        opening.then(({ end }) => end()).catch(() => undefined);
        return tooLate(dialect.place, commandTimeoutMs, false);
      });
      return boundedAlone(alone, dialect, commandTimeoutMs);
    });
  }

  /** Brings the schema up to date, whatever `autoMigrate` says; answers the names of the steps taken. */
  migrate(): Promise<string[]> {
    return this.#track(async () => await this.#migrate(await this.#whenOpened()));
  }

  /** Runs one verb on a connection, whatever the schema is: nothing is migrated. */
  look<T>(verb: Verb<Connection, D, T>): Promise<T> {
    return this.#track(async () => await this.#retried(await this.#whenOpened(), verb));
  }

  /** What `migrate` would run. */
  pendingScript(): Promise<string[]> {
    return this.#track(async () => {
      const { tables, steps } = this.#options;
      const opened = await this.#whenOpened();
      return await this.#retried(opened, (connection, dialect) =>
        pendingScript(dialect, connection, opened.client.knex, tables, steps),
      );
    });
  }

  /**
   * Waits for the verbs under way, then ends the connections that were opened here.
   *
   * @param last runs after those verbs, on a connection; what it throws is dropped.
   */
  close(last?: Verb<Connection, D, void>): Promise<void> {
    this.#closing ??= this.#close(last);
    return this.#closing;
  }

  #track<T>(call: () => Answer<T>): Promise<T> {
    if (this.#closing !== undefined) {
      const what = `the connection to ${this.#options.place} is closed`;
      return Promise.reject(new QueueError('E_QUEUE_CLOSED', what));
    }
    this.#calls += 1;
    const answer = call();
    return answer instanceof Promise ? this.#settled(answer) : Promise.resolve(answer);
  }

  #settled<T>(pending: Promise<T>): Promise<T> {
    this.#underWay += 1;
    return pending.then(
      (result) => {
        this.#ended();
        return result;
      },
      async (error: unknown) => {
        this.#ended();
        throw explain(error, await this.#options.loading);
      },
    );
  }

  #ended(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  #retried<T>(
    { client, dialect, isConflict }: Opened<Connection, D>,
    verb: Verb<Connection, D, T>,
    deadlineMs = this.#options.commandTimeoutMs,
  ): Answer<T> {
    const { conflictBudgetMs: budgetMs = conflictBudgetMs } = this.#options;
    const task = (connection: Connection) => verb(connection, dialect);
    return retryConflicts(() => client.use(task, deadlineMs), isConflict, budgetMs);
  }

  /**
   * SQLite's verbs wait for nothing, so a loop over them would never give the event loop a turn: leases
   * would not be extended and signals not be seen while the backlog lasts. Those of servers wait for their answers.
   */
  get #isLongStretch(): boolean {
    return this.#options.kind === 'sqlite' && monotonicMs() - this.#lastTurnAt >= longestStretchMs;
  }

  async #letOthersIn(): Promise<void> {
    await nextTurn();
    this.#lastTurnAt = monotonicMs();
  }

  #whenOpened(): Promise<Opened<Connection, D>> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      // So that the next verb tries anew.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  #whenReady(): Promise<Opened<Connection, D>> {
    this.#preparing ??= this.#prepare().then(
      (opened) => {
        this.#ready = opened;
        return opened;
      },
      (error: unknown) => {
        this.#preparing = undefined;
        throw error;
      },
    );
    return this.#preparing;
  }

  async #open(): Promise<Opened<Connection, D>> {
    const dialect = await this.#options.loading;
    const client = await this.#options.connect(dialect);
    const isConflict = (error: unknown): boolean =>
      dialect.isConflict(error instanceof NotConnected ? error.cause : error);
    const opened = { client, dialect, isConflict };
    try {
      // The first use opens the file, which may meet the locks of a process that opens it as well.
      await this.#retried(opened, () => {});
      return opened;
    } catch (error) {
      await client.destroy();
      throw error;
    }
  }

  async #prepare(): Promise<Opened<Connection, D>> {
    const { place, tables, steps, autoMigrate } = this.#options;
    const opened = await this.#whenOpened();
    const state = await this.#retried(opened, (connection, dialect) =>
      schemaState(dialect, connection, tables, steps),
    );
    if (state === 'current') return opened;
    if (autoMigrate) await this.#migrate(opened);
    else if (state === 'outdated') throw outdatedSchema(place);
    return opened;
  }

  async #migrate(opened: Opened<Connection, D>): Promise<string[]> {
    const { place, tables, steps, logger, commandTimeoutMs } = this.#options;
    const deadlineMs = commandTimeoutMs === undefined ? undefined : migrationTimeoutMs;
    const task: Verb<Connection, D, string[]> = (connection, dialect) =>
      migrate(dialect, connection, opened.client.knex, tables, steps);
    const names = await this.#retried(opened, task, deadlineMs);
    if (names.length > 0) logger.info({ database: place, migrations: names }, 'migrated the queue tables');
    return names;
  }

  async #close(last?: Verb<Connection, D, void>): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    const opened = await this.#opening?.catch(() => undefined);
    await nextTurn(); // for what follows from these verbs
    if (opened && last) await Promise.resolve(this.#retried(opened, last)).catch(() => undefined);
    await opened?.client.destroy();
  }
}

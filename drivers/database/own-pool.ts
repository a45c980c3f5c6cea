import { monotonicMs, QueueError } from '../../src/index.js';
import { NotConnected } from './errors.js';
import type { Pool } from './lend.js';

/** Opens connections, and closes them. */
export interface ConnectionSource<Connection> {
  /** Answers one that has logged in; its errors between statements are dropped, as `isLost` tells of them. */
  open(): Promise<Connection>;
  /** True where it has ended or was cut off, so that nobody is to have it any more. */
  isLost(connection: Connection): boolean;
  /** Says goodbye to the server, where it is still there; resolves once the connection is gone. */
  close(connection: Connection): Promise<void>;
}

/** What a pool of ours has its connections from, each ready for use. */
export interface PoolSource<Connection> extends ConnectionSource<Connection> {
  /** How many are open at most. */
  readonly most: number;
  /** How long one stays open that nobody uses, in ms. */
  readonly idleMs: number;
}

/** Who waits for a connection. */
interface Waiting<Connection> {
  /** False once it is too late for them. */
  isWanted(): boolean;
  resolve(connection: Connection): void;
  reject(error: unknown): void;
}

/** Connections that are opened when they are needed and kept for the next who needs one, the last given back first. */
export class OwnPool<Connection> implements Pool<Connection> {
  readonly #source: PoolSource<Connection>;
  readonly #free: { readonly connection: Connection; readonly sinceMs: number }[] = [];
  readonly #waiting: Waiting<Connection>[] = [];
  readonly #closing = new Set<Promise<void>>();
  /** Those that are open or being opened. */
  #count = 0;
  #opening = 0;
  #sweep: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(source: PoolSource<Connection>) {
    this.#source = source;
  }

  take(isWanted = () => true): Connection | Promise<Connection> {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (!this.#source.isLost(free.connection)) return free.connection;
      this.#close(free.connection);
    }
    if (this.#isEnding) throw isClosed();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ isWanted, resolve, reject });
      this.#openForWaiting();
    });
  }

  giveBack(connection: Connection): void {
    if (this.#source.isLost(connection)) this.#close(connection);
    else this.#handOn(connection);
  }

  /** Ends those that nobody has, and the others when they are given back. Whoever waits for one gets none. */
  async end(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#sweep);
    for (const { reject } of this.#waiting.splice(0)) reject(isClosed());
    for (const { connection } of this.#free.splice(0)) this.#close(connection);
    await Promise.all(this.#closing);
  }

  #handOn(connection: Connection): void {
    if (this.#isEnding) {
      this.#close(connection);
      return;
    }
    const next = this.#next();
    if (next !== undefined) {
      next.resolve(connection);
      return;
    }
    this.#free.push({ connection, sinceMs: monotonicMs() });
    this.#sweep ??= setTimeout(() => this.#closeIdle(), this.#source.idleMs).unref();
  }

  /** The first who still waits. */
  #next(): Waiting<Connection> | undefined {
    this.#forgetGone();
    return this.#waiting.shift();
  }

  /** Where nobody answers many go away before they have had a connection, and none is to be opened for them. */
  #forgetGone(): void {
    while (this.#waiting[0]?.isWanted() === false) this.#waiting.shift();
  }

  /** One for each, but the first who waits gets the first that is to be had, whether it was opened or came back. */
  #openForWaiting(): void {
    while (this.#count < this.#source.most && this.#opening < this.#waiting.length) void this.#open();
  }

  async #open(): Promise<void> {
    this.#count += 1;
    this.#opening += 1;
    const opened = await this.#source.open().then(
      (connection) => ({ connection }),
      (error: unknown) => ({ error }),
    );
    this.#opening -= 1;
    if ('connection' in opened) {
      this.#handOn(opened.connection);
      return;
    }
    this.#next()?.reject(new NotConnected(opened.error));
    this.#makeRoom();
  }

  #close(connection: Connection): void {
    const closing = this.#source
      .close(connection)
      .catch(() => undefined) // it is gone in any case
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#count -= 1;
    this.#forgetGone();
    this.#openForWaiting();
  }

  #closeIdle(): void {
    const { idleMs } = this.#source;
    const nowMs = monotonicMs();
    // The first ones have been there for longest.
    const used = this.#free.findIndex(({ sinceMs }) => nowMs - sinceMs < idleMs);
    for (const { connection } of this.#free.splice(0, used === -1 ? this.#free.length : used)) {
      this.#close(connection);
    }
    const [oldest] = this.#free;
    this.#sweep = oldest && setTimeout(() => this.#closeIdle(), oldest.sinceMs + idleMs - nowMs).unref();
  }
}

function isClosed(): NotConnected {
  return new NotConnected(new QueueError('E_QUEUE_CLOSED', 'the connections are closed'));
}

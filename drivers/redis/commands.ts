import type { Client } from './client.js';
import type { RedisInstance } from './redis-types.js';
import type { Script } from './script.js';
import type { Command } from './transaction.js';

/** Where commands are carried out: at one server, or at the node of a Cluster that has their keys. */
export interface Commands {
  /**
   * Runs one command about one key.
   *
   * @throws QueueError for whatever goes wrong; `E_QUEUE_CLOSED` after `close`.
   */
  run<T>(key: string, command: (redis: RedisInstance) => Promise<T>): Promise<T>;

  /**
   * Runs a command at each server that may hold jobs, all at once, and answers by their names.
   *
   * @throws QueueError of the first that has one.
   */
  runOnEach<T>(command: (redis: RedisInstance) => Promise<T>): Promise<ReadonlyMap<string, T>>;

  /**
   * Runs a script, sending its text only where the server does not know it yet. Answers texts as buffers.
   *
   * @param keys on a Cluster of one slot, and at least one.
   * @param timeoutMs default: `commandTimeoutMs`.
   */
  script<T>(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    timeoutMs?: number,
  ): Promise<T>;

  /**
   * Runs commands about one queue, all or none of them, in one trip, and answers what the last of them does: where the
   * connection is known to take transactions.
   */
  transaction<T>(transaction: Transaction<T>): Promise<T>;

  /** How long a command may take where nothing else is said. */
  readonly commandTimeoutMs: number;

  /** Makes a connection of its own to where the key is, for commands that block it. The caller ends it. */
  openBlocking(key: string): Promise<Client>;

  /** Waits for the commands under way, then ends the connections that were opened here. */
  close(): Promise<void>;
}

/** What a transaction does, and what is to be done where there can be none. */
export interface Transaction<T> {
  /** The commands, in parts that are made as they are sent. */
  parts(): Iterable<readonly Command[]>;
  /** Commands that change nothing and need the same rights: a connection that has not been asked yet is asked by them. */
  harmless(): readonly Command[];
  /** Does the same in another way. */
  otherwise(): Promise<T>;
}

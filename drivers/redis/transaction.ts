import type { RedisInstance } from './redis-types.js';

/** The name of a command, and its arguments. */
export type Command = readonly [name: string, ...args: (string | number | Buffer)[]];

/**
 * Runs commands as one transaction, in one trip. Where one is refused as it is queued none is carried out.
 *
 * Only for a connection that takes transactions, see {@link TransactionRights}: where `MULTI` is refused, what follows it is
 * carried out by itself.
 *
 * @param parts each is written before the next is made, so that the server reads while the client writes.
 * @returns what the last command answers.
 */
export function transact<T>(redis: RedisInstance, parts: Iterable<readonly Command[]>): Promise<T> {
  let refusal: unknown;
  const queue = ([name, ...args]: Command): void => {
    redis.callBuffer(name, args).catch((error: unknown) => {
      refusal ??= error;
    });
  };
  const { stream } = redis;
  // What is written at once is one call of the system.
  stream?.cork();
  queue(['multi']);
  let isFirst = true;
  try {
    for (const part of parts) {
      if (!isFirst) stream?.uncork();
      if (!isFirst) stream?.cork();
      isFirst = false;
      for (const command of part) queue(command);
    }
  } catch (error) {
    // What could not be written must not leave the connection in a transaction: without arguments this is refused, and so all.
    refusal = error;
    queue(['rpush']);
  }
  const done = redis.callBuffer('exec');
  stream?.uncork();
  return done.then(
    (answers: readonly unknown[]) => {
      for (const answer of answers) if (answer instanceof Error) throw answer;
      return answers.at(-1) as T;
    },
    (error: unknown) => {
      throw isDiscarded(error) ? (refusal ?? withoutPreface(error)) : error;
    },
  );
}

/** Says that nothing was carried out, and maybe why. */
function isDiscarded(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('EXECABORT');
}

/** What is refused as it is carried out: `EXECABORT Transaction discarded because of: OOM …`. */
function withoutPreface({ message }: Error): Error {
  return new Error(message.replace(/^EXECABORT Transaction discarded because of: /, ''));
}

/** Whether a client's connection takes transactions. Asked once for each connection, beside what is done without. */
export class TransactionRights {
  /** Of the connection of now: absent where it was not asked. */
  #asked: { areThere: boolean } | undefined;

  constructor(redis: RedisInstance) {
    redis.on('close', () => this.forget());
  }

  /** From now on it is not known. */
  forget(): void {
    this.#asked = undefined;
  }

  /**
   * Answers false until it is known.
   *
   * @param harmless makes commands that change nothing, and need the same rights as those to come.
   */
  areThere(redis: RedisInstance, harmless: () => readonly Command[]): boolean {
    if (this.#asked === undefined) {
      const asked = { areThere: false };
      this.#asked = asked;
      transact(redis, [harmless()]).then(
        () => {
          asked.areThere = true;
        },
        () => undefined,
      );
    }
    return this.#asked.areThere;
  }
}

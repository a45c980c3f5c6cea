import type { Redis } from 'ioredis';
import { decodePhpJson, encodePhpJson, type PhpValue } from '../../src/index.js';

/** What a handler of the double throws to have a package given up at once. */
export class Unretryable extends Error {}

type Package = Map<string, PhpValue>;

/** A consumer of the double. */
export interface PhpConsumer {
  consume(data: PhpValue): void;
  onConsumeFailure?(error: Error, failed: ReadonlyMap<string, PhpValue>): PhpValue;
}

/** How a double is set up; the defaults are webman's. */
export interface WebmanPhpSettings {
  readonly prefix?: string;
  readonly maxAttempts?: number;
  readonly retrySeconds?: number;
  /** Seconds since the epoch. */
  now(): number;
  newId(): string;
}

/** webman's redis-queue without PHP: it sends the commands that PHP was seen to send, in their order. */
export class WebmanPhp {
  readonly #redis: Redis;
  readonly #settings: WebmanPhpSettings;

  constructor(redis: Redis, settings: WebmanPhpSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /** Both producers send this: the id alone differs. @param delay `{}` is what the client makes of a callback. */
  async send(queue: string, data: PhpValue, delay: number | Record<string, never> = 0): Promise<void> {
    const time = this.#settings.now();
    const fields: PhpValue = new Map<string, PhpValue>([
      ['id', this.#settings.newId()],
      ['time', BigInt(time)],
      ['delay', typeof delay === 'number' ? BigInt(delay) : delay],
      ['attempts', 0n],
      ['queue', queue],
      ['data', data],
    ]);
    const text = encodePhpJson(fields);
    if (typeof delay === 'number' && delay > 0)
      await this.#redis.zadd(this.#key('delayed'), time + delay, text);
    else await this.#redis.lpush(this.#key(`waiting${queue}`), text);
  }

  /** Takes one package, where there is one, and runs it; answers whether there was one. */
  async consumeOne(queue: string, consumer: PhpConsumer): Promise<boolean> {
    const taken = await this.#redis.brpop(this.#key(`waiting${queue}`), 1);
    if (taken === null) return false;
    const [, text] = taken;
    const found = packageOf(text);
    if (found === undefined) await this.#redis.lpush(this.#key('failed'), text);
    else await this.#run(found, consumer);
    return true;
  }

  /** What each consumer does once a second, for the packages of all queues. */
  async poll(): Promise<void> {
    const delayed = this.#key('delayed');
    const due = await this.#redis.zrevrangebyscore(delayed, this.#settings.now(), '-inf', 'LIMIT', 0, 128);
    const moved: string[] = [];
    for (const text of due) if ((await this.#redis.zrem(delayed, text)) === 1) moved.push(text);
    for (const text of moved) {
      const found = packageOf(text);
      await this.#redis.lpush(this.#key(found ? `waiting${found.get('queue')}` : 'failed'), text);
    }
  }

  async #run(found: Package, consumer: PhpConsumer): Promise<void> {
    const { maxAttempts = 5, retrySeconds = 5, now } = this.#settings;
    try {
      consumer.consume(found.get('data') ?? null);
    } catch (thrown) {
      const error = thrown as Error;
      found.set('max_attempts', BigInt(maxAttempts));
      found.set('error', error.message);
      if (error instanceof Unretryable) return await this.#fail(found);
      const changed = consumer.onConsumeFailure?.(error, found);
      if (changed instanceof Map) {
        for (const name of ['data', 'attempts', 'max_attempts', 'error']) {
          const value = changed.get(name) ?? found.get(name);
          if (value !== undefined) found.set(name, value);
        }
      }
      const attempts = Number(found.get('attempts') ?? 0) + 1;
      found.set('attempts', BigInt(attempts));
      if (attempts > Number(found.get('max_attempts'))) return await this.#fail(found);
      await this.#redis.zadd(this.#key('delayed'), now() + retrySeconds * attempts, noted(found));
    }
  }

  async #fail(found: Package): Promise<void> {
    await this.#redis.lpush(this.#key('failed'), noted(found));
  }

  #key(name: string): string {
    return `${this.#settings.prefix ?? ''}{redis-queue}-${name}`;
  }
}

/** How PHP writes a package that failed. */
function noted(found: Package): string {
  return encodePhpJson(found, { unescapedUnicode: true, pretty: true });
}

/** A package that PHP takes for one: not empty, and JSON. */
function packageOf(text: string): Package | undefined {
  try {
    const value = decodePhpJson(text);
    return value instanceof Map && value.size > 0 ? new Map(value) : undefined;
  } catch {
    return undefined;
  }
}

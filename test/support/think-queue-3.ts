import type { Redis } from 'ioredis';
import { encodePhpJson, type PhpValue } from '../../src/index.js';
import type { PhpJson } from './php.js';

/** The settings of PHP's connection, and what differs from run to run. */
export interface ThinkQueueSettings {
  readonly queue?: string;
  /** In seconds; null is 60, too. */
  readonly retryAfter?: number | null;
  /** In seconds; null asks once. */
  readonly blockFor?: number | null;
  /** The seconds that PHP's clock shows. Default: this machine's. */
  now?(): number;
  /** The ids that the next pushes give. */
  newId?(): string;
}

/** Moments between two commands of a pop, where PHP can be interrupted. */
export type Moment = 'before-multi' | 'before-reserved';

/** An object job: the names and the text that PHP's serialize() made of it. */
export interface ObjectJob {
  readonly commandName: string;
  readonly command: string;
  readonly tries?: number;
  readonly timeout?: number;
  readonly timeoutAt?: number;
}

const atOnce = async (): Promise<void> => {};

/**
 * Plays PHP's think-queue 3.0.9 on its Redis connection: one command after the other, with the gaps between them
 * where other clients come in, and with its faults. What it sends is held to what the real one was seen to send.
 */
export class ThinkQueue3 {
  readonly #redis: Redis;
  readonly #php: PhpJson;
  readonly #settings: ThinkQueueSettings;
  #ids = 0;

  /** @param redis a client that nobody else uses: WATCH and MULTI belong to a connection. */
  constructor(redis: Redis, php: PhpJson, settings: ThinkQueueSettings = {}) {
    this.#redis = redis;
    this.#php = php;
    this.#settings = settings;
  }

  async push(job: string, data: PhpValue = '', queue?: string): Promise<string | null> {
    return this.pushRaw(this.#payload(job, data), queue);
  }

  async pushObject(
    { commandName, command, tries, timeout, timeoutAt }: ObjectJob,
    queue?: string,
  ): Promise<string | null> {
    const payload = {
      job: 'think\\queue\\CallQueuedHandler@call',
      maxTries: tries ?? null,
      timeout: timeout ?? null,
      timeoutAt: timeoutAt ?? null,
      data: { commandName, command },
      id: this.#newId(),
      attempts: 0,
    };
    return this.pushRaw(encoded(payload), queue);
  }

  async pushRaw(payload: string, queue?: string): Promise<string | null> {
    await this.#send('RPUSH', this.#list(queue), payload);
    return idOf(payload);
  }

  /** @param delay seconds from now, or the moment itself. */
  async later(
    delay: number | Date,
    job: string,
    data: PhpValue = '',
    queue?: string,
  ): Promise<string | null> {
    const payload = this.#payload(job, data);
    const at = delay instanceof Date ? Math.floor(delay.getTime() / 1000) : this.#now() + delay;
    await this.#send('ZADD', `${this.#list(queue)}:delayed`, at, payload);
    return idOf(payload);
  }

  async bulk(jobs: readonly string[], data: PhpValue = '', queue?: string): Promise<null> {
    for (const job of jobs) await this.push(job, data, queue);
    return null;
  }

  async size(queue?: string): Promise<number> {
    const list = this.#list(queue);
    const ready = await this.#send('LLEN', list);
    const delayed = await this.#send('ZCARD', `${list}:delayed`);
    return Number(ready) + Number(delayed) + Number(await this.#send('ZCARD', `${list}:reserved`));
  }

  /**
   * Takes a job.
   *
   * @param at called at a moment between two commands; a rejection is PHP's death there.
   * @throws Error as PHP does, after the job left the list: it is lost.
   */
  async pop(queue?: string, at: (moment: Moment) => Promise<void> = atOnce): Promise<ThinkJob | null> {
    const list = this.#list(queue);
    await this.migrate(`${list}:delayed`, list, at);
    await this.migrate(`${list}:reserved`, list);
    const { blockFor = null, retryAfter = null } = this.#settings;
    const popped =
      blockFor === null
        ? await this.#send('LPOP', list)
        : ((await this.#send('BLPOP', list, blockFor)) as string[] | null)?.[1];
    if (!popped || popped === '0') return null; // what PHP takes for false
    const raw = String(popped);
    const reserved = await this.#php.countUp(raw);
    await at('before-reserved');
    await this.#send('ZADD', `${list}:reserved`, this.#now() + (retryAfter ?? 60), reserved);
    return new ThinkJob(
      list,
      raw,
      reserved,
      (...command) => this.#send(...command),
      () => this.#now(),
    );
  }

  /** Moves what is due, unless another client touches it meanwhile. */
  async migrate(from: string, to: string, at: (moment: Moment) => Promise<void> = atOnce): Promise<void> {
    await this.#send('WATCH', from);
    const due = (await this.#send('ZRANGEBYSCORE', from, '-inf', this.#now())) as string[];
    if (due.length > 0) {
      await at('before-multi');
      await this.#send('MULTI');
      await this.#send('ZREMRANGEBYRANK', from, 0, due.length - 1);
      for (let first = 0; first < due.length; first += 100) {
        await this.#send('RPUSH', to, ...due.slice(first, first + 100));
      }
      await this.#send('EXEC');
    }
    await this.#send('UNWATCH');
  }

  /** A job that was popped before, by its member. */
  reservedJob(member: string, raw: string, queue?: string): ThinkJob {
    return new ThinkJob(
      this.#list(queue),
      raw,
      member,
      (...command) => this.#send(...command),
      () => this.#now(),
    );
  }

  /** `php think queue:restart`, whose cache has this prefix and is in this client's database. */
  async restart(cachePrefix = ''): Promise<void> {
    await this.#send('SET', `${cachePrefix}think:queue:restart`, this.#now());
  }

  #payload(job: string, data: PhpValue): string {
    return encoded({ job, maxTries: null, timeout: null, data, id: this.#newId(), attempts: 0 });
  }

  #list(queue: string | undefined): string {
    return `{queues:${queue || this.#settings.queue || 'default'}}`;
  }

  #now(): number {
    return this.#settings.now?.() ?? Math.floor(Date.now() / 1000);
  }

  #newId(): string {
    this.#ids += 1;
    return this.#settings.newId?.() ?? `PhpJobPhpJobPhpJobPhpJob${String(this.#ids).padStart(8, 'A')}`;
  }

  #send(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#redis.call(name, args);
  }
}

/** A job that PHP has taken. */
export class ThinkJob {
  readonly rawBody: string;
  /** The member that PHP put among the reserved ones. */
  readonly reserved: string;
  readonly #list: string;
  readonly #send: (name: string, ...args: (string | number)[]) => Promise<unknown>;
  readonly #now: () => number;

  constructor(
    list: string,
    rawBody: string,
    reserved: string,
    send: (name: string, ...args: (string | number)[]) => Promise<unknown>,
    now: () => number,
  ) {
    this.#list = list;
    this.rawBody = rawBody;
    this.reserved = reserved;
    this.#send = send;
    this.#now = now;
  }

  get id(): string | null {
    return idOf(this.rawBody);
  }

  get name(): string {
    return JSON.parse(this.rawBody).job;
  }

  get data(): unknown {
    return JSON.parse(this.rawBody).data;
  }

  get queue(): string {
    return this.#list.slice('{queues:'.length, -1);
  }

  attempts(): number {
    return JSON.parse(this.rawBody).attempts + 1;
  }

  async delete(): Promise<void> {
    await this.#send('ZREM', `${this.#list}:reserved`, this.reserved);
  }

  /** Does not look at what the first command answers: a stale worker makes a second job of one. */
  async release(delay = 0): Promise<void> {
    await this.#send('ZREM', `${this.#list}:reserved`, this.reserved);
    await this.#send('ZADD', `${this.#list}:delayed`, this.#now() + delay, this.reserved);
  }
}

function encoded(payload: PhpValue): string {
  try {
    return encodePhpJson(payload);
  } catch (error) {
    throw new Error('InvalidArgumentException: Unable to create payload', { cause: error });
  }
}

function idOf(payload: string): string | null {
  try {
    return JSON.parse(payload).id ?? null;
  } catch {
    return null;
  }
}

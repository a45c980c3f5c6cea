import type { Redis } from 'ioredis';
import { encodePhpJson, type PhpValue } from '../../src/index.js';
import type { PhpJson } from './php.js';

/** What differs from run to run. */
export interface ThinkQueue1Settings {
  readonly queue?: string;
  /** The seconds that PHP's clock shows. Default: this machine's. */
  now?(): number;
  /** The ids that the next pushes give. */
  newId?(): string;
}

/** How long PHP keeps a job, in seconds. */
const expire = 60;

/**
 * Plays PHP's think-queue 1.1.6 on its Redis connection: one command after the other, with the gaps between them where
 * other clients come in, and with its faults. What it sends is held to what the real one was seen to send.
 */
export class ThinkQueue1 {
  readonly #redis: Redis;
  readonly #php: PhpJson;
  readonly #settings: ThinkQueue1Settings;
  #ids = 0;

  /** @param redis a client that nobody else uses: WATCH and MULTI belong to a connection. */
  constructor(redis: Redis, php: PhpJson, settings: ThinkQueue1Settings = {}) {
    this.#redis = redis;
    this.#php = php;
    this.#settings = settings;
  }

  async push(job: string, data: PhpValue = '', queue?: string): Promise<string> {
    const { id, payload } = await this.#payload(job, data);
    await this.pushRaw(payload, queue);
    return id;
  }

  async pushRaw(payload: string, queue?: string): Promise<void> {
    await this.#send('RPUSH', this.#list(queue), payload);
  }

  async later(delay: number, job: string, data: PhpValue = '', queue?: string): Promise<null> {
    const { payload } = await this.#payload(job, data);
    await this.#send('ZADD', `${this.#list(queue)}:delayed`, this.#now() + delay, payload);
    return null;
  }

  /** Takes a job. */
  async pop(queue?: string): Promise<ThinkJob1 | null> {
    const list = this.#list(queue);
    await this.#migrate(`${list}:delayed`, list, async (member) => member);
    await this.#migrate(`${list}:reserved`, list, (member) => this.#php.countUp(member));
    const raw = (await this.#send('LPOP', list)) as string | null;
    if (raw === null) return null;
    await this.#send('ZADD', `${list}:reserved`, this.#now() + expire, raw);
    return this.jobOf(raw, queue);
  }

  /** A job that was popped before, by its member. */
  jobOf(raw: string, queue?: string): ThinkJob1 {
    const list = this.#list(queue);
    return {
      rawBody: raw,
      queue: list.slice('queues:'.length),
      attempts() {
        const { attempts } = JSON.parse(raw);
        if (attempts === undefined) throw new Error('Undefined array key "attempts"');
        return attempts;
      },
      delete: async () => {
        await this.#send('ZREM', `${list}:reserved`, raw);
      },
      // Does not look at what the first command answers: a stale worker makes a second job of one.
      release: async (delay = 0) => {
        await this.#send('ZREM', `${list}:reserved`, raw);
        await this.#send('ZADD', `${list}:delayed`, this.#now() + delay, await this.#php.countUp(raw));
      },
    };
  }

  /** `php think queue:restart`. */
  async restart(): Promise<void> {
    await this.#send('SET', 'think:queue:restart', this.#now());
  }

  /** Moves what is due, unless another client touches it meanwhile. One that PHP cannot count up stops them all. */
  async #migrate(from: string, to: string, moved: (member: string) => Promise<string>): Promise<void> {
    await this.#send('WATCH', from);
    const now = this.#now();
    const due = (await this.#send('ZRANGEBYSCORE', from, '-inf', now)) as string[];
    if (due.length > 0) {
      await this.#send('MULTI');
      try {
        const members: string[] = [];
        for (const member of due) members.push(await moved(member));
        await this.#send('ZREMRANGEBYSCORE', from, '-inf', now);
        await this.#send('RPUSH', to, ...members);
        await this.#send('EXEC');
      } catch {
        await this.#send('DISCARD');
      }
    }
    await this.#send('UNWATCH');
  }

  /** Read and written again while it is put together, so that `{}` is `[]` from the start. */
  async #payload(job: string, data: PhpValue): Promise<{ id: string; payload: string }> {
    this.#ids += 1;
    const id = this.#settings.newId?.() ?? `PhpJobPhpJobPhpJobPhpJob${String(this.#ids).padStart(8, 'A')}`;
    const payload = await this.#php.recode(encodePhpJson({ job, data, id, attempts: 1 }));
    return { id, payload: payload ?? '' };
  }

  #list(queue: string | undefined): string {
    return `queues:${queue || this.#settings.queue || 'default'}`;
  }

  #now(): number {
    return this.#settings.now?.() ?? Math.floor(Date.now() / 1000);
  }

  #send(name: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#redis.call(name, args);
  }
}

/** A job that PHP has taken. */
export interface ThinkJob1 {
  readonly rawBody: string;
  readonly queue: string;
  /** @throws Error as PHP does where there are none. */
  attempts(): number;
  delete(): Promise<void>;
  release(delay?: number): Promise<void>;
}

import type { Redis } from 'ioredis';
import { encodePhpJson, type PhpValue } from '../../src/index.js';

/** What differs from run to run. */
export interface LaravelSettings {
  readonly queue?: string;
  now?(): number;
  newId?(): { readonly id: string; readonly uuid: string };
}

/** An object job: its class, the text that PHP's serialize() made of it, and its settings. */
export interface LaravelObject {
  readonly commandName: string;
  readonly command: string;
  readonly settings?: Readonly<Record<string, PhpValue>>;
}

/** How long Laravel keeps a job, in seconds. */
const retryAfter = 60;

const pushLua = `
redis.call('rpush', KEYS[1], ARGV[1])
redis.call('rpush', KEYS[2], 1)`;

const laterLua = `redis.call('zadd', KEYS[1], ARGV[1], ARGV[2])`;

const migrateLua = `
local due = redis.call('zrangebyscore', KEYS[1], '-inf', ARGV[1], 'limit', 0, ARGV[2])
if #due == 0 then return due end
redis.call('zremrangebyrank', KEYS[1], 0, #due - 1)
for from = 1, #due, 100 do
  local last = math.min(from + 99, #due)
  redis.call('rpush', KEYS[2], unpack(due, from, last))
  for _ = from, last do redis.call('rpush', KEYS[3], 1) end
end
return due`;

// With cjson, as Laravel does it, and all that this does to a payload.
const popLua = `
local raw = redis.call('lpop', KEYS[1])
if not raw then return { false, false } end
local payload = cjson.decode(raw)
payload['attempts'] = payload['attempts'] + 1
local reserved = cjson.encode(payload)
redis.call('zadd', KEYS[2], ARGV[1], reserved)
redis.call('lpop', KEYS[3])
return { raw, reserved }`;

const releaseLua = `
redis.call('zrem', KEYS[2], ARGV[1])
redis.call('zadd', KEYS[1], ARGV[2], ARGV[1])`;

/** Plays Laravel 12 on its Redis connection. What it does in Redis is held to what the real one was seen to do. */
export class LaravelQueue {
  readonly #redis: Redis;
  readonly #settings: LaravelSettings;
  #ids = 0;

  constructor(redis: Redis, settings: LaravelSettings = {}) {
    this.#redis = redis;
    this.#settings = settings;
  }

  async push(job: string, data: PhpValue = ''): Promise<string> {
    return await this.#push(job, {}, data);
  }

  async pushObject({ commandName, command, settings = {} }: LaravelObject): Promise<string> {
    const job = 'Illuminate\\Queue\\CallQueuedHandler@call';
    const own = { displayName: commandName, retryUntil: null, ...settings };
    return await this.#push(job, own, { commandName, command, batchId: null });
  }

  async later(delay: number, job: string, data: PhpValue = ''): Promise<string> {
    const { id, payload } = this.#payload(job, {}, data, delay);
    await this.#eval(laterLua, [`${this.#list}:delayed`], [this.#now() + delay, payload]);
    return id;
  }

  async pop(): Promise<LaravelJob | null> {
    const list = this.#list;
    const notify = `${list}:notify`;
    for (const from of [`${list}:delayed`, `${list}:reserved`]) {
      await this.#eval(migrateLua, [from, list, notify], [this.#now(), -1]);
    }
    const keys = [list, `${list}:reserved`, notify];
    const [raw, reserved] = (await this.#eval(popLua, keys, [this.#now() + retryAfter])) as (string | null)[];
    return raw && reserved ? this.jobOf(raw, reserved) : null;
  }

  /** A job that was popped before. */
  jobOf(raw: string, reserved: string): LaravelJob {
    const list = this.#list;
    return {
      raw,
      reserved,
      get jobId() {
        return JSON.parse(raw).id;
      },
      attempts: () => JSON.parse(raw).attempts + 1,
      delete: async () => {
        await this.#redis.zrem(`${list}:reserved`, reserved);
      },
      release: async (delay = 0) => {
        const keys = [`${list}:delayed`, `${list}:reserved`];
        await this.#eval(releaseLua, keys, [reserved, this.#now() + delay]);
      },
    };
  }

  async #push(job: string, own: Readonly<Record<string, PhpValue>>, data: PhpValue): Promise<string> {
    const { id, payload } = this.#payload(job, own, data, null);
    await this.#eval(pushLua, [this.#list, `${this.#list}:notify`], [payload]);
    return id;
  }

  #payload(
    job: string,
    { retryUntil, ...own }: Readonly<Record<string, PhpValue>>,
    data: PhpValue,
    delay: number | null,
  ): { id: string; payload: string } {
    this.#ids += 1;
    const { id, uuid } = this.#settings.newId?.() ?? {
      id: `laravel-${this.#ids}`,
      uuid: `uuid-${this.#ids}`,
    };
    const settings = {
      maxTries: null,
      maxExceptions: null,
      failOnTimeout: false,
      backoff: null,
      timeout: null,
      ...(retryUntil !== undefined && { retryUntil }),
    };
    const fields = { displayName: job.split('@')[0] as string, job, ...settings, ...own };
    const payload = { uuid, ...fields, data, createdAt: this.#now(), id, attempts: 0, delay };
    return { id, payload: encodePhpJson(payload, { unescapedUnicode: true }) };
  }

  get #list(): string {
    return `queues:${this.#settings.queue ?? 'default'}`;
  }

  #now(): number {
    return this.#settings.now?.() ?? Math.floor(Date.now() / 1000);
  }

  #eval(lua: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#redis.call('EVAL', [lua, keys.length, ...keys, ...args]);
  }
}

/** A job that Laravel has taken. */
export interface LaravelJob {
  readonly jobId: string;
  readonly raw: string;
  readonly reserved: string;
  attempts(): number;
  delete(): Promise<void>;
  release(delay?: number): Promise<void>;
}

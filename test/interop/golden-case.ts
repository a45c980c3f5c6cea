import type { Redis } from 'ioredis';
import { besideJobs } from '../support/redis-server.js';

/** What a key held. */
export type KeyContent =
  | { readonly type: 'list'; readonly items: readonly string[] }
  | { readonly type: 'zset'; readonly items: readonly { readonly member: string; readonly score: string }[] }
  | { readonly type: 'string'; readonly value: string; readonly ttl: number };

/** A recorded case. */
export interface Golden {
  readonly name: string;
  readonly unix_before: number;
  readonly unix_after: number;
  readonly result: unknown;
  readonly exception?: string;
  readonly commands: readonly (readonly string[])[];
  readonly keys_after: Readonly<Record<string, KeyContent>>;
}

/** A command as the recording shows it: of a long list the first two values and the last. */
export function shortened([name = '', key = '', ...values]: readonly string[]): string[] {
  if (values.length < 100) return key === '' ? [name] : [name, key, ...values];
  return [name, key, ...values.slice(0, 2), `... ${values.length - 3} more values ...`, ...values.slice(-1)];
}

/** Puts what was recorded into an empty database. */
export async function stored(client: Redis, keys: Readonly<Record<string, KeyContent>>): Promise<void> {
  for (const [key, content] of Object.entries(keys)) {
    if (content.type === 'list') await client.rpush(key, ...content.items);
    if (content.type === 'zset') {
      await client.zadd(key, ...content.items.flatMap(({ member, score }) => [score, member]));
    }
  }
}

/** Everything in the database, as the recording has it, or the keys that a pattern names. */
export async function dumped(client: Redis, pattern = '*'): Promise<Record<string, KeyContent>> {
  const found: Record<string, KeyContent> = {};
  const keys = (await client.keys(pattern)).filter((key) => !besideJobs.test(key));
  for (const key of keys.sort()) found[key] = await contentOf(client, key);
  return found;
}

async function contentOf(client: Redis, key: string): Promise<KeyContent> {
  const type = await client.type(key);
  if (type === 'list') return { type, items: await client.lrange(key, 0, -1) };
  if (type === 'string') return { type, value: (await client.get(key)) ?? '', ttl: await client.ttl(key) };
  if (type !== 'zset') throw new Error(`${key} is a ${type}`);
  const flat = await client.zrange(key, '0', '-1', 'WITHSCORES');
  const items = flat.flatMap((member, at) => (at % 2 === 0 ? [{ member, score: flat[at + 1] ?? '' }] : []));
  return { type, items };
}

/** What a case left behind, its scores being due by a time in seconds. */
export function due(
  keys: Readonly<Record<string, KeyContent>>,
  bySeconds: number,
): Readonly<Record<string, KeyContent>> {
  const entries = Object.entries(keys).map(([key, content]) => [
    key,
    content.type === 'zset'
      ? { ...content, items: content.items.map((item) => ({ ...item, score: String(bySeconds - 1) })) }
      : content,
  ]);
  return Object.fromEntries(entries);
}

import {
  type EndedJob,
  entryIdFrom,
  type HistoryBounds,
  type HistoryFilter,
  type HistoryStore,
  mostPruned,
  passes,
} from '../../src/index.js';
import type { Commands } from './commands.js';
import type { Keys } from './keys.js';
import { plainScript, script } from './script.js';

/** Ends that are read in one go. */
const pageSize = 200;

/** KEYS: the ends in their order (entry id and job id), their records by entry id, and the ends by job. */
const store = `
local order, records, jobs = KEYS[1], KEYS[2], KEYS[3]
redis.call('ZCARD', order)
redis.call('HLEN', records)
redis.call('ZCARD', jobs)
`;

/** ARGV: three per end: its entry id, the id of its job, JSON. */
const addScript = script(`${store}
need('HSET', records, '', '')
need('ZADD', order, '0', '')
need('ZADD', jobs, '0', '')
for at = 1, #ARGV, 3 do
  local entry, job = ARGV[at], ARGV[at + 1]
  if redis.call('HEXISTS', records, entry) == 0 then
    redis.call('HSET', records, entry, ARGV[at + 2])
    redis.call('ZADD', order, 0, entry .. ' ' .. job)
    redis.call('ZADD', jobs, 0, job .. '\\0' .. entry)
  end
end
return #ARGV / 3
`);

/** ARGV: how many of the newest ends to pass over, how many to read. Answers their records, those without one as ''. */
const listScript = plainScript(`
local found = {}
for _, end_ in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1)) do
  found[#found + 1] = redis.call('HGET', KEYS[2], string.sub(end_, 1, 28)) or ''
end
return found
`);

/** ARGV: ids of jobs. Answers the records of their ends. */
const findScript = plainScript(`
local found = {}
for _, job in ipairs(ARGV) do
  for _, one in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], '[' .. job .. '\\0', '(' .. job .. '\\1')) do
    found[#found + 1] = redis.call('HGET', KEYS[2], string.sub(one, -28)) or ''
  end
end
return found
`);

/** ARGV: how many to keep or -1 for all, from which entry id on or '' for all, how many to remove at most. */
const pruneScript = script(`${store}
need('HDEL', records, '')
need('ZREM', order, '')
need('ZREM', jobs, '')
local most = tonumber(ARGV[3])
local count = 0
if tonumber(ARGV[1]) >= 0 then count = math.max(0, redis.call('ZCARD', order) - tonumber(ARGV[1])) end
if ARGV[2] ~= '' then
  count = math.max(count, #redis.call('ZRANGEBYLEX', order, '-', '(' .. ARGV[2], 'LIMIT', 0, most))
end
count = math.min(count, most)
if count == 0 then return 0 end
for _, one in ipairs(redis.call('ZRANGE', order, 0, count - 1)) do
  local entry, job = string.sub(one, 1, 28), string.sub(one, 30)
  redis.call('HDEL', records, entry)
  redis.call('ZREM', jobs, job .. '\\0' .. entry)
  redis.call('ZREM', order, one)
end
return count
`);

/** Ended jobs in three keys, which never expire; on a Cluster in the slot of the failed jobs. */
export class RedisHistory implements HistoryStore {
  readonly #session: Commands;
  readonly #keys: readonly string[];

  constructor(session: Commands, keys: Keys) {
    this.#session = session;
    this.#keys = keys.ofHistory();
  }

  async add(ended: readonly EndedJob[]): Promise<void> {
    const args = ended.flatMap((one) => [one.entryId, one.jobId, JSON.stringify(one)]);
    await this.#session.script(addScript, this.#keys, args);
  }

  async list(filter: HistoryFilter = {}): Promise<EndedJob[]> {
    const { limit = 100, sinceMs = 0 } = filter;
    const found = new Map<string, EndedJob>();
    for (let from = 0; found.size < limit; from += pageSize) {
      const page = await this.#read(listScript, [from, pageSize]);
      for (const one of page.ended) {
        // What ends meanwhile moves others back, which are then seen twice.
        if (found.size < limit && passes(one, filter)) found.set(one.entryId, one);
      }
      if (page.count < pageSize || (page.ended.at(-1)?.entryId ?? '') < entryIdFrom(sinceMs)) break;
    }
    return [...found.values()];
  }

  async find(jobIds: readonly string[]): Promise<EndedJob[]> {
    const { ended } = await this.#read(findScript, [...new Set(jobIds)]);
    return ended.sort((a, b) => (a.entryId < b.entryId ? 1 : -1));
  }

  prune({ count = -1, sinceMs }: HistoryBounds): Promise<number> {
    const from = sinceMs === undefined ? '' : entryIdFrom(sinceMs);
    return this.#session.script<number>(pruneScript, this.#keys, [count, from, mostPruned]);
  }

  async #read(
    reading: typeof listScript,
    args: readonly (string | number)[],
  ): Promise<{ readonly count: number; readonly ended: EndedJob[] }> {
    const records = await this.#session.script<Buffer[]>(reading, this.#keys, args);
    const ended = records
      .filter(({ length }) => length > 0)
      .map((text): EndedJob => JSON.parse(String(text)));
    return { count: records.length, ended };
  }
}

import type { StatisticsRange, StatisticsRow, StatisticsStore } from '../../src/index.js';
import type { Commands } from './commands.js';
import type { Keys } from './keys.js';
import { plainScript, script } from './script.js';

/** Levels as they stand in a row's name. */
const levels = { live: 'l', minute: 'm', hour: 'h' } as const;
/** Enough for any time that a Date can hold. */
const digits = 16;

const check = `
local order, bodies = KEYS[1], KEYS[2]
redis.call('ZCARD', order)
redis.call('HLEN', bodies)
need('HSET', bodies, '', '')
need('ZADD', order, '0', '')

local function keep(row, body)
  redis.call('HSET', bodies, row, body)
  redis.call('ZADD', order, 0, row)
end
`;

/** ARGV: two per row: its name and its body. */
const putScript = script(`${check}
for at = 1, #ARGV, 2 do keep(ARGV[at], ARGV[at + 1]) end
return 1
`);

/** ARGV: how many rows to find at most, -1 for all; then two per range of names. Answers names and bodies by turns. */
const readScript = plainScript(`
local order, bodies = KEYS[1], KEYS[2]
local found = {}
for at = 2, #ARGV, 2 do
  for _, row in ipairs(redis.call('ZRANGEBYLEX', order, ARGV[at], ARGV[at + 1], 'LIMIT', 0, ARGV[1])) do
    local body = redis.call('HGET', bodies, row)
    if body then
      found[#found + 1] = row
      found[#found + 1] = body
    end
  end
end
return found
`);

/** ARGV: how many rows to remove; two for each of them and then for each row to keep. Answers 0 where one changed. */
const replaceScript = script(`${check}
need('HDEL', bodies, '')
need('ZREM', order, '')
local last = 1 + 2 * tonumber(ARGV[1])
for at = 2, last, 2 do
  if redis.call('HGET', bodies, ARGV[at]) ~= ARGV[at + 1] then return 0 end
end
for at = 2, last, 2 do
  redis.call('HDEL', bodies, ARGV[at])
  redis.call('ZREM', order, ARGV[at])
end
for at = last + 1, #ARGV, 2 do keep(ARGV[at], ARGV[at + 1]) end
return 1
`);

/**
 * Statistics in two keys: a sorted set with the names of the rows, sorted by level and time, and a hash of their
 * bodies. On a Cluster they are in the slot of the failed jobs.
 */
export class RedisStatistics implements StatisticsStore {
  readonly #session: Commands;
  readonly #keys: readonly [order: string, bodies: string];

  constructor(session: Commands, keys: Keys) {
    this.#session = session;
    this.#keys = keys.ofStatistics();
  }

  async put(rows: readonly StatisticsRow[]): Promise<void> {
    await this.#session.script(putScript, this.#keys, rows.flatMap(argumentsOf));
  }

  async read({ level, fromMs, untilMs, limit = -1 }: StatisticsRange): Promise<StatisticsRow[]> {
    const wanted = level === undefined ? (['live', 'minute', 'hour'] as const) : [level];
    const ranges = wanted.flatMap((one) => [`[${startOf(one, fromMs)}`, `(${startOf(one, untilMs)}`]);
    const found = await this.#session.script<Buffer[]>(readScript, this.#keys, [limit, ...ranges]);
    const rows: StatisticsRow[] = [];
    for (let at = 0; at < found.length; at += 2) rows.push(rowOf(`${found[at]}`, `${found[at + 1]}`));
    rows.sort((a, b) => a.startMs - b.startMs);
    return limit < 0 ? rows : rows.slice(0, limit);
  }

  async replace(rows: readonly StatisticsRow[], by: readonly StatisticsRow[]): Promise<boolean> {
    const args = [rows.length, ...rows.flatMap(argumentsOf), ...by.flatMap(argumentsOf)];
    return (await this.#session.script<number>(replaceScript, this.#keys, args)) === 1;
  }
}

/** What the names of all rows of a level from a time on begin with, or come after. */
function startOf(level: StatisticsRow['level'], ms: number): string {
  return levels[level] + String(Math.max(0, Math.ceil(ms))).padStart(digits, '0');
}

function argumentsOf({ level, startMs, source, queue, name, body }: StatisticsRow): string[] {
  return [[startOf(level, startMs), source, queue, name].join(' '), body];
}

function rowOf(text: string, body: string): StatisticsRow {
  const [start = '', source = '', queue = '', name = ''] = text.split(' ');
  const level = start.startsWith('h') ? 'hour' : start.startsWith('m') ? 'minute' : 'live';
  return { level, startMs: Number(start.slice(1)), source, queue, name, body };
}

import type { Dialect } from './dialect.js';
import { keysPerQueue } from './keys.js';
import type { Script, ScriptMaker } from './script.js';
import { beatFunction } from './worker-scripts.js';

/** How many due or lapsed jobs one reserve moves at most: each costs the server about a microsecond. */
const mostMoved = 1000;

/** How many jobs are moved with one command: what a script hands over at once is limited. */
const mostHeld = 500;

/** From how many bytes on a text goes by itself: to join it is to make it anew, and Lua hashes each byte of a new text. */
const longText = 1000;

/** How long a connector that watches a queue is trusted to do so; it says so again with every look. */
export const watchedForMs = 1500;

/**
 * KEYS: queues, those to reserve from first, then signals, then the two of the list of workers where there are beats.
 * ARGV: from how many queues, limit, lease in ms, 14 random hex digits, the id of a connector that will wait where it
 * gets too little (or ''), '1' where it watches one of the queues already, how many KEYS are those of queues, how many
 * are those of signals, how many beats come next; then three per beat: id, ms that it holds, about; then the jobs to
 * delete before, by queue: its place in KEYS, how many they are, the members.
 *
 * Answers: the jobs, see `ReservedBatch`; the values of the signals; for a connector that will wait, four per queue: how
 * many jobs are ready, ms until the next is due or -1, 1 where the connector shall watch it, and the number of the call of
 * the take script that has taken jobs for it since it was to watch, or 0; for each deletion '1' or
 * '0' as its lease was held or not, or '' where all were; and what went wrong with the beats, or ''.
 *
 * Tokens are the time in microseconds and the place in the batch, both in hex, then the random digits, so that sorting
 * them gives the order of reserving.
 */
export const reserveScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(`
local queueCount, limit, leaseMs, random = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local watcher, isWatching = ARGV[5], ARGV[6] == '1'
local time = now()
local current, began = score(time), string.format('%014x', time * 1000000)
local reserved, count, signals = { began }, 0, {}

local function moveDue(queue)
  local due = redis.call('ZRANGEBYSCORE', queue.delayed, '-inf', current, 'LIMIT', 0, ${mostMoved})
  redis.call('ZREMRANGEBYRANK', queue.delayed, 0, #due - 1)
  for from = 1, #due, 500 do
    redis.call('RPUSH', queue.list, unpack(due, from, math.min(from + 499, #due)))
  end
end

local function moveLapsed(queue)
  local lapsed = redis.call('ZRANGEBYSCORE', queue.reserved, '-inf', current, 'LIMIT', 0, ${mostMoved})
  -- Those that are left until the next time keep their leases.
  local last = #lapsed < ${mostMoved} and current or redis.call('ZSCORE', queue.reserved, lapsed[#lapsed])
  redis.call('ZREMRANGEBYRANK', queue.reserved, 0, #lapsed - 1)
  redis.call('ZREMRANGEBYSCORE', queue.leases, '-inf', last)
  for _, member in ipairs(lapsed) do redis.call('RPUSH', queue.list, ${dialect.released}(member)) end
end

${dialect.hold}

-- Of all that wait for a queue one watches it, so that a push wakes one. Whoever takes all that it can stops
-- watching and rouses another. On a full server nobody watches. One for whom the take script has taken jobs, and whose
-- mark so has the number of that call, may be replaced.
local function watch(queue, isFull)
  local id = redis.pcall('GET', queue.watcher)
  local isMine, owner, number = id == watcher, nil, nil
  if type(id) == 'string' and not isMine then owner, number = string.match(id, '^(%x+)%+(%d+)$') end
  local taken = owner == watcher and tonumber(number) or 0
  if isFull then
    if isMine or taken > 0 then
      redis.call('DEL', queue.watcher)
      rouse(queue)
    end
    return 0, taken
  end
  if id and not isMine and not owner then return 0, 0 end
  local set = redis.pcall('SET', queue.watcher, watcher, 'PX', ${watchedForMs})
  if set.err then return 0, taken end
  if not isMine then redis.call('DEL', queue.wake) end
  return 1, taken
end

local function msUntilDue(queue)
  local least = -1
  for _, key in ipairs({ queue.delayed, queue.reserved }) do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    local ms = first and math.max(0, math.ceil((tonumber(first) - time) * 1000))
    if ms and (least < 0 or ms < least) then least = ms end
  end
  return least
end

-- Adds jobs to the answer, in one piece, but for long ones.
local function answer(number, sizes, texts)
  local from = 1
  local function upTo(last)
    if last < from then return end
    local size = #reserved
    reserved[size + 1], reserved[size + 2] = number, table.concat(sizes, ' ', from, last)
    reserved[size + 3] = from == last and texts[last] or table.concat(texts, '', from, last)
    from = last + 1
  end
  for at, text in ipairs(texts) do
    if #text > ${longText} and sizes[at] > 0 then
      upTo(at - 1)
      if (sizes[at + 1] or 0) >= 0 then upTo(at) end
    end
  end
  upTo(#texts)
end

local held, lost = {}, 0
local lastQueue, signalCount, beatCount = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local at = 10 + beatCount * 3
while at < #ARGV do
  local queue, last = lane(ARGV[at]), at + 1 + tonumber(ARGV[at + 1])
  for place = at + 2, last do
    local was = remove(queue, ARGV[place])
    held[#held + 1] = was
    if was == 0 then lost = lost + 1 end
  end
  at = last + 1
end
for at = lastQueue + 1, lastQueue + signalCount do signals[#signals + 1] = redis.call('GET', KEYS[at]) end
for number = 1, queueCount do
  if count >= limit and limit > 0 then break end
  local queue = lane(number * ${keysPerQueue} - ${keysPerQueue - 1})
  local due = redis.call('ZCOUNT', queue.delayed, '-inf', current)
  local lapsed = redis.call('ZCOUNT', queue.reserved, '-inf', current)
  redis.call('LLEN', queue.list)
  redis.call('HLEN', queue.bodies)
  need('RPUSH', queue.list, '')
  need('ZADD', queue.reserved, '0', '')
  need('HSET', queue.bodies, '', '')
  if due > 0 then moveDue(queue) end
  if lapsed > 0 then moveLapsed(queue) end
  while count < limit do
    local members = redis.call('LRANGE', queue.list, 0, math.min(limit - count, ${mostHeld}) - 1)
    if #members == 0 then
      redis.call('LPOP', queue.list) -- a replica shall refuse, and not seem to be empty
      break
    end
    local sizes, texts = hold(queue, members)
    count = count + #members
    answer(number, sizes, texts)
  end
end

local isFull = limit > 0 and count >= limit
local looks = {}
if watcher ~= '' and (isWatching or not isFull) then
  for number = 1, queueCount do
    local queue = lane(number * ${keysPerQueue} - ${keysPerQueue - 1})
    local size = #looks
    looks[size + 1], looks[size + 2] = redis.call('LLEN', queue.list), msUntilDue(queue)
    looks[size + 3], looks[size + 4] = watch(queue, isFull)
  end
end

local problem = ''
if beatCount > 0 then
  ${beatFunction}
  local workers = lastQueue + signalCount + 1
  for at = 10, 7 + beatCount * 3, 3 do
    problem = beat(KEYS[workers], KEYS[workers + 1], time, ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2])
  end
end
return { reserved, signals, looks, lost > 0 and table.concat(held) or '', problem }
`);

/** KEYS: a queue. Makes one that waits for it look. */
export const rouseScript = (script: ScriptMaker): Script =>
  script(`
rouse(lane(1))
return 1
`);

/** KEYS: a queue. ARGV: the id of a connector. It watches the queue no more, and rouses another that waits. */
export const unwatchScript = (script: ScriptMaker): Script =>
  script(`
unwatch(lane(1), ARGV[1])
return 1
`);

import { plainScript, type Script } from '../redis/script.js';

/** How many due packages and lapsed leases one call moves at most: some microseconds each. */
const mostMoved = 1000;

/**
 * Functions for all scripts. Redis does not roll back: a script checks first, and removes before it adds.
 *
 * KEYS: the delayed packages and the failed ones of all queues, which are webman's; the ends of leases (a token, a
 * colon, a queue), the packages that are held (by token), the ids that callers chose (a queue, NUL, an id), which are
 * ours; and the start of the name of a queue's list.
 */
const library = `
local delayed, failed, leases, held, ids = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function score(seconds) return string.format('%.17g', seconds) end

-- Refuses what a script is about to do before its first write, where the user may not make one that comes later.
-- Redis 6.2 cannot be asked.
local function may(command, ...) return not redis.acl_check_cmd or redis.acl_check_cmd(command, ...) end
local function need(command, ...)
  if not may(command, ...) then
    error({ err = 'NOPERM this user has no permissions to run ' .. command .. ' on ' .. (...) })
  end
end

local function listOf(queue) return KEYS[6] .. queue end

-- The start of a package as webman writes it: where the digits of attempts are, and the queue.
local headPattern = '^{%s*"id"%s*:%s*"[^"\\\\]*"%s*,%s*"time"%s*:%s*%d+%s*,%s*"delay"%s*:%s*[%d.{}%[%]]+%s*,'
  .. '%s*"attempts"%s*:%s*()%d+()%s*,%s*"queue"%s*:%s*"([^"\\\\]*)"%s*,'

local function head(text) return string.match(string.sub(text, 1, 1000), headPattern) end

-- Only ever read: what cjson writes is not what it has read.
local function decoded(text)
  local isJson, value = pcall(cjson.decode, text)
  if isJson and type(value) == 'table' and next(value) ~= nil then return value end
end

local function queueOf(text)
  local _, _, queue = head(text)
  if queue then return queue end
  local package = decoded(text)
  return package and type(package.queue) == 'string' and package.queue or nil
end

local function idOf(text) return string.match(string.sub(text, 1, 300), '"id"%s*:%s*"([^"\\\\]*)"') end

-- The package with one attempt more. Where it has another form than webman's the count is added at its end: of a
-- field that stands twice the last counts.
local function spent(text)
  local from, to = head(text)
  if from then
    local count = string.format('%d', tonumber(string.sub(text, from, to - 1)) + 1)
    return string.sub(text, 1, from - 1) .. count .. string.sub(text, to)
  end
  local package = decoded(text)
  local open = package and string.match(text, '^(.*)}%s*$')
  if not open then return text end
  return open .. ',"attempts":' .. string.format('%d', (tonumber(package.attempts) or 0) + 1) .. '}'
end

local usable = {}
local function isList(key)
  if usable[key] == nil then
    local kind = redis.call('TYPE', key).ok
    usable[key] = (kind == 'list' or kind == 'none') and may('LPUSH', key, '')
  end
  return usable[key]
end

-- Ends a lease; answers what was held by it, or nil where it was lost.
local function endLease(token, queue)
  if redis.call('ZREM', leases, token .. ':' .. queue) == 0 then return nil end
  local text = redis.call('HGET', held, token)
  redis.call('HDEL', held, token)
  return text
end

local function freeId(queue, text)
  if redis.call('HLEN', ids) == 0 then return end
  local id = idOf(text)
  if id then redis.call('HDEL', ids, queue .. '\\0' .. id) end
end

-- Puts due packages of all queues into their lists, as webman's consumers do, and gives lapsed jobs back, the one
-- due longest first. Answers whether more are due.
local function moveDue(time)
  local moves = {}
  local function add(key, most)
    local found = redis.call('ZRANGEBYSCORE', key, '-inf', most, 'WITHSCORES', 'LIMIT', 0, ${mostMoved})
    for at = 1, #found, 2 do
      moves[#moves + 1] = { key = key, member = found[at], due = tonumber(found[at + 1]), place = #moves }
    end
    return #found == ${mostMoved} * 2
  end
  local isMore = add(delayed, score(math.floor(time)))
  isMore = add(leases, score(time)) or isMore
  table.sort(moves, function(a, b) return a.due < b.due or a.due == b.due and a.place < b.place end)
  for _, move in ipairs(moves) do
    local member = move.member
    if move.key == leases then
      local token, queue = string.sub(member, 1, 32), string.sub(member, 34)
      if isList(listOf(queue)) then
        local text = endLease(token, queue)
        if text then redis.call('LPUSH', listOf(queue), spent(text)) end
      end
    else
      local queue = queueOf(member)
      local list = queue and listOf(queue) or failed
      if isList(list) then
        redis.call('ZREM', delayed, member)
        redis.call('LPUSH', list, member)
      end
    end
  end
  return isMore
end

-- When a package is due: in whole seconds, as webman counts. Whole ones are added to the second that it is.
local function dueAfter(time, ms)
  if ms <= 0 then return nil end
  if ms % 1000 == 0 then return math.floor(time) + ms / 1000 end
  return math.ceil(time + ms / 1000)
end

-- Makes a package wait: for its time, or in its list, behind those that are due already.
local function wait(queue, text, due, time, isMore)
  if due and due > time then
    redis.call('ZADD', delayed, score(due), text)
  elseif isMore then
    redis.call('ZADD', delayed, score(math.floor(time)), text)
  else
    redis.call('LPUSH', listOf(queue), text)
  end
end

-- Refuses keys of another type before anything is written.
local function check()
  need('HSET', held, '', '')
  need('HDEL', held, '')
  need('HDEL', ids, '')
  need('ZADD', leases, '0', '')
  need('ZREM', delayed, '')
  redis.call('ZCARD', delayed)
  redis.call('ZCARD', leases)
  redis.call('HLEN', held)
  redis.call('HLEN', ids)
end

-- The same for the places that a package may wait in.
local function checkRoom(queue)
  need('ZADD', delayed, '0', '')
  need('LPUSH', listOf(queue), '')
  need('RPUSH', listOf(queue), '')
  redis.call('LLEN', listOf(queue))
end
`;

/** How many packages are looked through, in each state, for an id. */
const mostLookedAt = 10_000;

/** A function that tells of the next jobs of a queue, by id, which are there: a consumer of PHP takes jobs without freeing their ids. */
export const liveIds = `
local live = {}
local function isLive(queue, id)
  if live[queue] then return live[queue][id] end
  local present = {}
  live[queue] = present
  local function see(text)
    local seen = text and idOf(text)
    if seen then present[seen] = true end
  end
  for from = 0, ${mostLookedAt} - 1, 1000 do
    for _, text in ipairs(redis.call('LRANGE', listOf(queue), -from - 1000, -from - 1)) do see(text) end
    for _, text in ipairs(redis.call('ZRANGE', delayed, from, from + 999)) do
      if queueOf(text) == queue then see(text) end
    end
    for _, lease in ipairs(redis.call('ZRANGE', leases, from, from + 999)) do
      if string.sub(lease, 34) == queue then see(redis.call('HGET', held, string.sub(lease, 1, 32))) end
    end
  end
  return present[id]
end
`;

/** A script with the library in front of it. */
export function script(body: string): Script {
  return plainScript(`${library}\n${body}`);
}

import { script } from './script.js';

/** How many due or lapsed jobs one reserve moves at most: each costs the server about a microsecond. */
const mostMoved = 1000;

/**
 * KEYS: queues. ARGV: limit, lease in ms, 14 random hex digits. Answers four per job: the number of its queue
 * from 1, its token, its member, the body kept beside it or ''.
 *
 * Tokens begin with the time and the place in the batch, so that sorting them gives the order of reserving.
 */
export const reserveScript = script(`
local limit, leaseMs, random = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local time = now()
local reserved = {}

local function moveDue(queue)
  local due = redis.call('ZRANGEBYSCORE', queue.delayed, '-inf', score(time), 'LIMIT', 0, ${mostMoved})
  if #due == 0 then return end
  redis.call('ZREMRANGEBYRANK', queue.delayed, 0, #due - 1)
  for from = 1, #due, 500 do
    redis.call('RPUSH', queue.list, unpack(due, from, math.min(from + 499, #due)))
  end
end

local function moveLapsed(queue)
  local lapsed = redis.call('ZRANGEBYSCORE', queue.reserved, '-inf', score(time), 'LIMIT', 0, ${mostMoved})
  if #lapsed == 0 then return end
  redis.call('ZREMRANGEBYRANK', queue.reserved, 0, #lapsed - 1)
  for _, member in ipairs(lapsed) do redis.call('RPUSH', queue.list, withoutLease(member)) end
end

local function hold(queue, number, member)
  local token = string.format('%014x%04x', time * 1000000, (#reserved / 4) % 65536) .. random
  local head, name, digits, rest = split(member)
  local body = ''
  if not head then
    -- Nobody patches what is not understood: it is kept aside, and a member that points to it moves on.
    body = member
    redis.call('HSET', queue.bodies, token, member)
    head, name, digits, rest = '{"drover":"' .. token .. '","id":"' .. token .. '",', '"attempts":', '0', '}'
  else
    local key = bodyKey(member)
    if key then body = redis.call('HGET', queue.bodies, key) or '' end
  end
  local held = head .. '"lease":"' .. token .. '",' .. name .. string.format('%d', tonumber(digits) + 1) .. rest
  redis.call('ZADD', queue.reserved, score(time + leaseMs / 1000), held)
  local size = #reserved
  reserved[size + 1], reserved[size + 2], reserved[size + 3], reserved[size + 4] = number, token, held, body
end

for number = 1, #KEYS / 5 do
  if #reserved >= limit * 4 then break end
  local queue = lane(number * 5 - 4)
  redis.call('LLEN', queue.list)
  redis.call('ZCARD', queue.reserved)
  redis.call('HLEN', queue.bodies)
  moveDue(queue)
  moveLapsed(queue)
  while #reserved < limit * 4 do
    local member = redis.call('LPOP', queue.list)
    if not member then break end
    hold(queue, number, member)
  end
end
return reserved
`);

/**
 * KEYS: queues. ARGV: lease in ms, then two per job: the place of its queue in KEYS, its member. Removes before
 * it adds, as a full server refuses an addition that comes first.
 */
export const extendScript = script(`
local time, held = now(), {}
for at = 2, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then redis.call('ZADD', queue.reserved, score(time + tonumber(ARGV[1]) / 1000), member) end
  held[#held + 1] = was
end
return held
`);

/** KEYS: queues. ARGV: two per job: the place of its queue in KEYS, its member. */
export const deleteScript = script(`
local held = {}
for at = 1, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then forget(queue, member) end
  held[#held + 1] = was
end
return held
`);

/** KEYS: queues. ARGV: three per job: the place of its queue in KEYS, its member, the delay in ms. */
export const releaseScript = script(`
local time, rooms, held = now(), {}, {}
for at = 1, #ARGV, 3 do
  local place, member = ARGV[at], ARGV[at + 1]
  local queue = lane(place)
  if not rooms[place] then rooms[place] = waitingRoom(queue, time) end
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then rooms[place](withoutLease(member), time + tonumber(ARGV[at + 2]) / 1000, member) end
  held[#held + 1] = was
end
return held
`);

/** KEYS: queues. ARGV: two per job, the one reserved last first: the place of its queue in KEYS, its member. */
export const unreserveScript = script(`
local held = {}
for at = 1, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  redis.call('LLEN', queue.list)
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then
    local head, name, digits, rest = split(member)
    if head then member = head .. name .. string.format('%d', math.max(0, tonumber(digits) - 1)) .. rest end
    redis.call('LPUSH', queue.list, member)
  end
  held[#held + 1] = was
end
return held
`);

const sizes = `
local function sizeOf(queue, time)
  local at = score(time)
  local due = redis.call('ZCOUNT', queue.delayed, '-inf', at)
  local lapsed = redis.call('ZCOUNT', queue.reserved, '-inf', at)
  return {
    redis.call('LLEN', queue.list) + due + lapsed,
    redis.call('ZCARD', queue.delayed) - due,
    redis.call('ZCARD', queue.reserved) - lapsed,
  }
end
`;

/** KEYS: a queue. Answers ready, delayed, reserved. */
export const sizeScript = script(`${sizes} return sizeOf(lane(1), now())`);

/** KEYS: a queue. ARGV: '1' to remove the reserved jobs too. Answers how many went, as size does. */
export const clearScript = script(`${sizes}
local queue, time = lane(1), now()
local size = sizeOf(queue, time)
redis.call('UNLINK', queue.list, queue.delayed)
if ARGV[1] == '1' then
  redis.call('UNLINK', queue.reserved, queue.ids, queue.bodies)
  return size
end
size[3] = 0
redis.call('ZREMRANGEBYSCORE', queue.reserved, '-inf', score(time))
-- What the reserved jobs have beside their members stays.
local ids, bodies = {}, {}
for _, member in ipairs(redis.call('ZRANGE', queue.reserved, 0, -1)) do
  local key = bodyKey(member)
  if key then bodies[key] = redis.call('HGET', queue.bodies, key) end
  local head = split(member)
  local id = head and idOf(head)
  if id and redis.call('SISMEMBER', queue.ids, id) == 1 then ids[#ids + 1] = id end
end
redis.call('UNLINK', queue.ids, queue.bodies)
for _, id in ipairs(ids) do redis.call('SADD', queue.ids, id) end
for key, body in pairs(bodies) do if body then redis.call('HSET', queue.bodies, key, body) end end
return size
`);

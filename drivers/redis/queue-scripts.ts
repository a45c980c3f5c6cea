import { script } from './script.js';

/**
 * KEYS: a queue. ARGV: five per job: the id to hold apart or '', when ('+' and ms from now, or ms since the
 * epoch), the member, the key of a body kept beside it or '', that body. Answers 1 or 0 per job.
 */
export const pushScript = script(`
local queue, time = lane(1), now()
local wait = waitingRoom(queue, time)
redis.call('SCARD', queue.ids)
redis.call('HLEN', queue.bodies)
local stored = {}
for at = 1, #ARGV, 5 do
  local id, when, member, key, body = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  if id ~= '' and redis.call('SADD', queue.ids, id) == 0 then
    stored[#stored + 1] = 0
  else
    if key ~= '' then redis.call('HSET', queue.bodies, key, body) end
    local due
    if string.byte(when) == 43 then due = time + tonumber(string.sub(when, 2)) / 1000 else due = tonumber(when) / 1000 end
    wait(member, due)
    stored[#stored + 1] = 1
  end
end
return stored
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
for at = 1, #ARGV, 2 do held[#held + 1] = remove(lane(ARGV[at]), ARGV[at + 1]) end
return held
`);

/** @param released makes the member that waits out of the one that was reserved. */
const releasing = (released: string) => `
local time, rooms, held = now(), {}, {}
for at = 1, #ARGV, 3 do
  local place, member = ARGV[at], ARGV[at + 1]
  local queue = lane(place)
  if not rooms[place] then rooms[place] = waitingRoom(queue, time) end
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then rooms[place](${released}(member), time + tonumber(ARGV[at + 2]) / 1000, member) end
  held[#held + 1] = was
end
return held
`;

/** A member without its lease and with its last attempt taken back. */
const unspent = `
local function unspent(member)
  local head, name, digits, rest = split(member)
  if not head then return member end
  return head .. name .. string.format('%d', math.max(0, tonumber(digits) - 1)) .. rest
end
`;

/** KEYS: queues. ARGV: three per job: the place of its queue in KEYS, its member, the delay in ms. */
export const releaseScript = script(releasing('withoutLease'));

/** As releaseScript. */
export const postponeScript = script(`${unspent} ${releasing('unspent')}`);

/** KEYS: queues. ARGV: two per job, the one reserved last first: the place of its queue in KEYS, its member. */
export const unreserveScript = script(`${unspent}
local held = {}
for at = 1, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  redis.call('LLEN', queue.list)
  local was = redis.call('ZREM', queue.reserved, member)
  if was == 1 then redis.call('LPUSH', queue.list, unspent(member)) end
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

import type { Dialect } from './dialect.js';
import { keysPerQueue } from './keys.js';
import { mostLookedAt } from './lease-functions.js';
import type { Script, ScriptMaker } from './script.js';

/**
 * KEYS: queues. ARGV: lease in ms, then two per job: the place of its queue in KEYS, its member. Removes before
 * it adds, as a full server refuses an addition that comes first.
 */
export const extendScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(`
local time, held = now(), {}
for at = 2, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  need('ZADD', queue.reserved, '0', '')
  ${dialect.take}
  if was == 1 then ${dialect.holdAgain('time + tonumber(ARGV[1]) / 1000')} end
  held[#held + 1] = was
end
return held
`);

/** KEYS: queues. ARGV: two per job: the place of its queue in KEYS, its member. */
export const deleteScript = (script: ScriptMaker): Script =>
  script(`
local held = {}
for at = 1, #ARGV, 2 do held[#held + 1] = remove(lane(ARGV[at]), ARGV[at + 1]) end
return held
`);

/** @param released makes the member that waits out of the one that was reserved. */
const releasing = (dialect: Dialect, released: string) => `
local time, rooms, held = now(), {}, {}
for at = 1, #ARGV, 3 do
  local place, member = ARGV[at], ARGV[at + 1]
  local queue = lane(place)
  if not rooms[place] then
    rooms[place] = waitingRoom(queue, time)
    needWaitingRoom(queue)
  end
  ${dialect.take}
  if was == 1 then rooms[place](${released}(member), time + tonumber(ARGV[at + 2]) / 1000, member) end
  held[#held + 1] = was
end
return held
`;

/** KEYS: queues. ARGV: three per job: the place of its queue in KEYS, its member, the delay in ms. */
export const releaseScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(releasing(dialect, dialect.released));

/** As releaseScript. */
export const postponeScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(`${dialect.unspent} ${releasing(dialect, 'unspent')}`);

/** As releaseScript. */
export const releaseThrownScript = (script: ScriptMaker, dialect: Dialect, thrown: string): Script =>
  script(`${thrown} ${releasing(dialect, 'thrown')}`);

/**
 * Whoever gives jobs back has no slot for them, and must not be the one who is woken by them: where it watches the queue it
 * stops, and another one that waits is roused.
 *
 * KEYS: queues. ARGV: the id of the connector, then two per job, the one reserved last first: the place of its queue in
 * KEYS, its member.
 */
export const unreserveScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(`${dialect.unspent}
local held = {}
for at = 2, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  redis.call('LLEN', queue.list)
  need('LPUSH', queue.list, '')
  if at == 2 or ARGV[at] ~= ARGV[at - 2] then unwatch(queue, ARGV[1]) end
  ${dialect.take}
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
export const sizeScript = (script: ScriptMaker): Script => script(`${sizes} return sizeOf(lane(1), now())`);

/**
 * KEYS: a queue, and last two names for its ids and bodies while they are sorted out. ARGV: '1' to remove the
 * reserved jobs too. Answers how many went, as size does.
 */
export const clearScript = (script: ScriptMaker): Script =>
  script(`${sizes}
local queue, time = lane(1), now()
local allIds, allBodies = KEYS[${keysPerQueue + 1}], KEYS[${keysPerQueue + 2}]
local size = sizeOf(queue, time)
redis.call('SCARD', queue.ids)
redis.call('HLEN', queue.bodies)
redis.call('UNLINK', queue.list, queue.delayed)
if ARGV[1] == '1' then
  redis.call('UNLINK', queue.reserved, queue.leases, queue.ids, queue.bodies)
  return size
end
size[3] = 0
redis.call('ZREMRANGEBYSCORE', queue.reserved, '-inf', score(time))
need('HSET', queue.bodies, '', '')
need('SMOVE', allIds, queue.ids, '')
if redis.call('EXISTS', queue.ids) == 1 then redis.call('RENAME', queue.ids, allIds) end
if redis.call('EXISTS', queue.bodies) == 1 then redis.call('RENAME', queue.bodies, allBodies) end
-- What the reserved jobs have beside their members stays.
for from = 0, redis.call('ZCARD', queue.reserved) - 1, ${mostLookedAt} do
  for _, member in ipairs(redis.call('ZRANGE', queue.reserved, from, from + ${mostLookedAt - 1})) do
    local key = bodyKey(member)
    local body = key and redis.call('HGET', allBodies, key)
    if body then redis.call('HSET', queue.bodies, key, body) end
    local head = split(member)
    local id = head and idOf(head)
    if id then redis.call('SMOVE', allIds, queue.ids, id) end
  end
end
redis.call('UNLINK', allIds, allBodies)
return size
`);

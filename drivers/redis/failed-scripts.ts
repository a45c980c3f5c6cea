import type { Dialect } from './dialect.js';
import { type Script, type ScriptMaker, script } from './script.js';

/**
 * The five keys of the failed-job store, from one place in KEYS on: records (uuid → JSON), times (uuid by failure time),
 * jobs (uuid → its job), uuids (job → uuid), names (jobs, sorted, to find them by id). A job here is its id,
 * connection and queue.
 */
export const recordStore = (first: number) => `
local records, times, jobs, uuids, names = KEYS[${first}], KEYS[${first + 1}], KEYS[${first + 2}], KEYS[${first + 3}], KEYS[${first + 4}]

local function remove(uuid)
  local job = redis.call('HGET', jobs, uuid)
  if not job then return 0 end
  redis.call('HDEL', records, uuid)
  redis.call('ZREM', times, uuid)
  redis.call('HDEL', jobs, uuid)
  redis.call('HDEL', uuids, job)
  redis.call('ZREM', names, job)
  return 1
end

local function keep(uuid, job, failedAt, record)
  local older = redis.call('HGET', uuids, job)
  if older then remove(older) end
  redis.call('HSET', records, uuid, record)
  redis.call('ZADD', times, failedAt, uuid)
  redis.call('HSET', jobs, uuid, job)
  redis.call('HSET', uuids, job, uuid)
  redis.call('ZADD', names, 0, job)
end

-- Refuses keys of another type before anything is written.
local function checkRecords()
  redis.call('HLEN', records)
  redis.call('ZCARD', times)
  redis.call('HLEN', jobs)
  redis.call('HLEN', uuids)
  redis.call('ZCARD', names)
  need('HSET', records, '', '')
  need('ZADD', times, '0', '')
  need('HDEL', records, '')
  need('ZREM', times, '')
end
`;

const store = recordStore(1);

/** ARGV: four per record: uuid, job, failure time in ms, JSON. */
export const recordScript = script(`${store}
checkRecords()
for at = 1, #ARGV, 4 do keep(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
return #ARGV / 4
`);

/** ARGV: uuids. Answers how many records went. */
export const forgetScript = script(`${store}
checkRecords()
local removed = 0
for _, uuid in ipairs(ARGV) do removed = removed + remove(uuid) end
return removed
`);

/** ARGV: a time in ms, or '' for all. Removes up to 1,000 records that failed before it; answers how many. */
export const flushScript = script(`${store}
checkRecords()
local before = ARGV[1] == '' and '+inf' or '(' .. ARGV[1]
local removed = 0
for _, uuid in ipairs(redis.call('ZRANGEBYSCORE', times, '-inf', before, 'LIMIT', 0, 1000)) do
  removed = removed + remove(uuid)
end
return removed
`);

/** KEYS: also queues. ARGV: six per failure: the place of its queue in KEYS, its member, then as recordScript. */
export const failScript = (script: ScriptMaker, dialect: Dialect): Script =>
  script(`${store}
checkRecords()
local held = {}
for at = 1, #ARGV, 6 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  need('HDEL', queue.bodies, '')
  need('SREM', queue.ids, '')
  ${dialect.take}
  if was == 1 then
    forget(queue, member)
    keep(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
  end
  held[#held + 1] = was
end
return held
`);

/**
 * KEYS: also queues. ARGV: six per record: the place of its queue in KEYS, uuid, the id to hold apart or '', member, the key of a
 * body kept beside it or '', that body. Answers 1 retried, 0 already there, -1 not found.
 */
export const retryScript = (script: ScriptMaker): Script =>
  script(`${store}
checkRecords()
local time, rooms, outcomes = now(), {}, {}
for at = 1, #ARGV, 6 do
  local place, uuid, id = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local queue = lane(place)
  if not rooms[place] then
    rooms[place] = waitingRoom(queue, time)
    needWaitingRoom(queue)
    need('HSET', queue.bodies, '', '')
  end
  local outcome = 1
  if redis.call('HEXISTS', records, uuid) == 0 then
    outcome = -1
  elseif id ~= '' and redis.call('SADD', queue.ids, id) == 0 then
    outcome = 0
  else
    if ARGV[at + 4] ~= '' then redis.call('HSET', queue.bodies, ARGV[at + 4], ARGV[at + 5]) end
    rooms[place](ARGV[at + 3], time)
    remove(uuid)
  end
  outcomes[#outcomes + 1] = outcome
end
return outcomes
`);

import { createHash } from 'node:crypto';
import { type Dialect, leased, tailBytes } from './dialect.js';

/** A Lua script and the name that Redis gives it. */
export interface Script {
  readonly sha: string;
  readonly lua: string;
}

/**
 * Functions for all scripts. Redis does not roll back: a script reads and checks first, and where jobs move,
 * the write that removes comes first, which lets a full server be drained.
 */
const library = (dialect: Dialect) => `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function score(seconds) return string.format('%.17g', seconds) end

-- Refuses what a script is about to do before its first write, where the user may not make one that comes later.
-- Redis 6.2 cannot be asked.
local function need(command, ...)
  if redis.acl_check_cmd and not redis.acl_check_cmd(command, ...) then
    error({ err = 'NOPERM this user has no permissions to run ' .. command .. ' on ' .. (...) })
  end
end

-- KEYS from so many on: those of one queue.
local lanes = {}
local function lane(index)
  local at = tonumber(index)
  if not lanes[at] then
    lanes[at] = {
      list = KEYS[at], delayed = KEYS[at + 1], reserved = KEYS[at + 2], ids = KEYS[at + 3], bodies = KEYS[at + 4],
      wake = KEYS[at + 5], watcher = KEYS[at + 6], leases = KEYS[at + 7],
    }
  end
  return lanes[at]
end

-- Makes one that waits for the queue look. Soon they all look anyway, and then it goes by itself.
local function rouse(queue)
  if redis.pcall('LLEN', queue.wake) ~= 0 then return end
  redis.pcall('RPUSH', queue.wake, '1')
  redis.pcall('PEXPIRE', queue.wake, 2000)
end

-- A connector watches the queue no more, and rouses another that waits.
local function unwatch(queue, watcher)
  local id = redis.pcall('GET', queue.watcher)
  if type(id) ~= 'string' or string.sub(id, 1, #watcher) ~= watcher then return end
  redis.pcall('DEL', queue.watcher)
  rouse(queue)
end

${dialect.members}
-- The key of a body that is kept beside its member.
local function bodyKey(member) return string.match(string.sub(member, 1, 60), '^{"drover":"(%x+)","id":') end

local function idOf(head) return string.match(string.sub(head, -${tailBytes}), '"id"%s*:%s*"([^"]*)"%s*,%s*$') end

-- Frees what a job that is gone had beside its member.
local function forget(lane, member)
  local key = bodyKey(member)
  if key then redis.call('HDEL', lane.bodies, key) end
  local head = split(member)
  local id = head and idOf(head)
  if id then redis.call('SREM', lane.ids, id) end
end

-- Deletes a reserved job. Answers 0 where its lease was lost.
local function remove(queue, member)
  if queue.hasMore == nil then queue.hasMore = redis.call('EXISTS', queue.ids, queue.bodies) > 0 end
  if not queue.hasMore then return (${dialect.drop}(queue, member)) end
  ${dialect.take}
  if was == 1 then forget(queue, member) end
  return was
end

-- A score from due on that sorts behind the jobs already there for that millisecond: equal scores would be
-- sorted by their bytes. 2^-21 s is the finest step that a double holds for times of this century.
local step = 2 ^ -21
local function slot(delayed, due)
  local at = due
  for _ = 1, 50 do
    local last = redis.call('ZREVRANGEBYSCORE', delayed, score(at + 0.001), score(at), 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not last then return at end
    local free = tonumber(last) + step
    if free < at + 0.001 - step then return free end
    at = free
  end
  return at
end

local function needWaitingRoom(lane)
  need('RPUSH', lane.list, '')
  need('ZADD', lane.delayed, '0', '')
end

-- Makes jobs wait, in the order of the calls. While delayed jobs are due that no reserve has moved yet, a job
-- that is due now queues behind them.
local function waitingRoom(lane, time)
  redis.call('LLEN', lane.list) -- a key of another type is refused here, before anything is written
  local overdue = #redis.call('ZRANGEBYSCORE', lane.delayed, '-inf', score(time), 'LIMIT', 0, 1) > 0
  local lastDue, at
  return function(member, due, spare)
    if due <= time then
      if not overdue then return redis.call('RPUSH', lane.list, member) end
      due = time
    end
    at = due == lastDue and at + step or slot(lane.delayed, due)
    lastDue = due
    ${dialect.twin}
    redis.call('ZADD', lane.delayed, score(at), member)
    -- Who waits looks once a second, and shall look before that.
    if due < time + 1 and redis.call('ZRANGE', lane.delayed, 0, 0)[1] == member then rouse(lane) end
  end
end
`;

/** What a script is made with: the library of a dialect in front of it, which is named once for all of them. */
export type ScriptMaker = (body: string) => Script;

/** @param dialect of the members that the scripts read and write. */
export function scriptsIn(dialect: Dialect): ScriptMaker {
  const inFront = library(dialect);
  const { afterwards } = dialect;
  return (body) => {
    const text = afterwards === undefined ? body : `local function work()\n${body}\nend\n${afterwards}`;
    return plainScript(`${inFront}\n${text}`);
  };
}

/** A script that reads no members. */
export const script = scriptsIn(leased);

/** A script without the library, whose functions are made anew, at some microseconds, with every call. */
export function plainScript(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

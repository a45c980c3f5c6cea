import { recordStore } from '../redis/failed-scripts.js';
import { liveIds, script } from './script.js';

/**
 * KEYS: those of every script, the five of the records, then the failed package of each record (by uuid) and the
 * record of each failed package (by the digest of the package). webman's list has the packages, the records what
 * webman has no place for.
 */
const store = `
${recordStore(7)}
local members, listed = KEYS[12], KEYS[13]

local function unlist(uuid)
  local member = redis.call('HGET', members, uuid)
  if not member then return 0 end
  redis.call('HDEL', members, uuid)
  redis.call('HDEL', listed, redis.sha1hex(member))
  return redis.call('LREM', failed, 1, member)
end

local function checkStore()
  check()
  checkRecords()
  redis.call('LLEN', failed)
  redis.call('HLEN', members)
  redis.call('HLEN', listed)
  need('LPUSH', failed, '')
  need('HSET', members, '', '')
  need('HSET', listed, '', '')
end
`;

/**
 * ARGV: seven per failure: the token of its lease, its queue, then uuid, job, failure time in ms and JSON of the
 * record, and the package to list or '' for the one that is held.
 */
export const failScript = script(`${store}
checkStore()
local answers = {}
for at = 1, #ARGV, 7 do
  local text = endLease(ARGV[at], ARGV[at + 1])
  if text then
    freeId(ARGV[at + 1], text)
    local uuid, job = ARGV[at + 2], ARGV[at + 3]
    local older = redis.call('HGET', uuids, job)
    if older then unlist(older) end
    keep(uuid, job, ARGV[at + 4], ARGV[at + 5])
    local member = ARGV[at + 6] ~= '' and ARGV[at + 6] or text
    redis.call('LPUSH', failed, member)
    redis.call('HSET', members, uuid, member)
    redis.call('HSET', listed, redis.sha1hex(member), uuid)
  end
  answers[#answers + 1] = text and 1 or 0
end
return answers
`);

/** ARGV: two per failed job: the uuid of its record, and the package that PHP listed or ''. Answers how many went. */
export const forgetScript = script(`${store}
checkStore()
local removed = 0
for at = 1, #ARGV, 2 do
  if ARGV[at + 1] ~= '' then
    removed = removed + math.min(1, redis.call('LREM', failed, 0, ARGV[at + 1]))
  else
    unlist(ARGV[at])
    removed = removed + remove(ARGV[at])
  end
end
return removed
`);

/**
 * ARGV: five per failed job: the uuid of its record, the package that PHP listed or '', its queue, its id, and the
 * package to wait. Answers 1 retried, 0 already there, -1 not found.
 */
export const retryScript = script(`${store}${liveIds}
checkStore()
for at = 1, #ARGV, 5 do checkRoom(ARGV[at + 2]) end
local time = now()
local isMore = moveDue(time)

local outcomes = {}
for at = 1, #ARGV, 5 do
  local uuid, foreign, queue = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local outcome = 1
  local isThere
  if foreign == '' then isThere = redis.call('HEXISTS', records, uuid) == 1
  else isThere = redis.call('LPOS', failed, foreign) ~= false end
  if not isThere then
    outcome = -1
  elseif isLive(queue, ARGV[at + 3]) then
    outcome = 0
  else
    if foreign == '' then
      unlist(uuid)
      remove(uuid)
    else
      redis.call('LREM', failed, 1, foreign)
    end
    wait(queue, ARGV[at + 4], nil, time, isMore)
  end
  outcomes[#outcomes + 1] = outcome
end
return outcomes
`);

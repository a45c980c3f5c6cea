import { keysPerQueue } from './keys.js';
import { plainScript, type Script, type ScriptMaker } from './script.js';

/** How many jobs, from the tail of the list, a look goes through: each costs the server some 50 ns. */
const mostListed = 100_000;
/** How many reserved jobs, those with the longest leases first, a look goes through: some microseconds each. */
const mostReserved = 2000;
/** How long it is kept that a push is settled: what is left of a lost connection may arrive so much later. */
const settledForSeconds = 3600;

/**
 * KEYS: a queue, then the mark of this push, which is there once the push was settled by a repeat: a try that
 * arrives later then does nothing. ARGV: five per job: the id to hold apart or '', when ('+' and ms from now, or
 * ms since the epoch), the member, the key of a body kept beside it or '', that body.
 */
const head = `local queue, mark, time = lane(1), KEYS[${keysPerQueue + 1}], now()`;

/** Plain code, no function: a script pays for those that it makes at each call. */
const store = `
local wait, stored = waitingRoom(queue, time), {}
if #ARGV > 5 then needWaitingRoom(queue) end
for at = 1, #ARGV, 5 do
  if ARGV[at] ~= '' or ARGV[at + 3] ~= '' then
    redis.call('SCARD', queue.ids) -- keys of another type are refused here, before anything is written
    redis.call('HLEN', queue.bodies)
    needWaitingRoom(queue)
    need('HSET', queue.bodies, '', '')
    break
  end
end
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
`;

/**
 * The push of most jobs: due now, under ids that need not be held apart. KEYS: the list, the delayed jobs, the mark of
 * this push. ARGV: one member, or how many there are and then they, parted by line feeds. Answers 1, or 0 where nothing
 * was stored: the jobs must queue behind delayed ones that are due by now, or a line feed stands inside a member.
 */
export const pushNowScript = plainScript(`
if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then -- mostly there is neither
  if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
  local time = redis.call('TIME')
  if tonumber(first) <= time[1] + time[2] / 1000000 then return 0 end
end
if #ARGV == 1 then
  redis.call('RPUSH', KEYS[1], ARGV[1])
  return 1
end
local members, count = {}, 0
for at = 2, #ARGV do
  local lines, from = ARGV[at], 1
  while from do
    local feed = string.find(lines, '\\n', from, true)
    count = count + 1
    members[count] = string.sub(lines, from, feed and feed - 1)
    from = feed and feed + 1
  end
end
if count ~= tonumber(ARGV[1]) then return 0 end
for from = 1, count, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(members, from, math.min(from + 999, count)))
end
return 1
`);

/** Answers 1 or 0 per job. */
export const pushScript = (script: ScriptMaker): Script =>
  script(`${head}
if redis.call('EXISTS', mark) == 1 then return {} end
${store}
return stored
`);

/**
 * Settles a push that had no answer: answers what an earlier try did, else stores the jobs. As a push stores all or
 * none, one job that is found tells of all. An id that is held apart is found by storing it again.
 */
export const pushAgainScript = (script: ScriptMaker): Script =>
  script(`${head}
local function dueAt(when)
  if string.byte(when) == 43 then return time + tonumber(string.sub(when, 2)) / 1000 end
  return tonumber(when) / 1000
end

local function withAttempts(member, count)
  local head, name, _, rest = split(member)
  return head and head .. name .. count .. rest or member
end

-- Waiting for their time, untouched or given back once or twice.
local function anyDelayed()
  for at = 1, #ARGV, 5 do
    for count = 0, 2 do
      if ARGV[at] == '' and redis.call('ZSCORE', queue.delayed, withAttempts(ARGV[at + 2], count)) then return true end
    end
  end
  return false
end

-- The last to become due is the last to leave the list. It may have been given back: to the head, or to the tail.
local function lastListed()
  local last, lastDue = nil, -1
  for at = 1, #ARGV, 5 do
    local due = math.max(dueAt(ARGV[at + 1]), time)
    if ARGV[at] == '' and due >= lastDue then last, lastDue = ARGV[at + 2], due end
  end
  local function listed(member, rank, most)
    return redis.call('LPOS', queue.list, member, 'RANK', rank, 'MAXLEN', most)
  end
  return listed(last, -1, ${mostListed}) or listed(last, 1, 1000) or listed(withAttempts(last, 1), -1, 1000)
end

local function anyReserved()
  local ids = {}
  for at = 1, #ARGV, 5 do
    local head = ARGV[at] == '' and split(ARGV[at + 2])
    local id = head and idOf(head)
    if id then ids[id] = true end
  end
  for from = 0, ${mostReserved} - 1, 100 do
    local members = redis.call('ZREVRANGE', queue.reserved, from, from + 99)
    for _, member in ipairs(members) do
      local head = split(member)
      local id = head and idOf(head)
      if id and ids[id] then return true end
    end
    if #members < 100 then return false end
  end
  return false
end

local function anyBody()
  for at = 1, #ARGV, 5 do
    if ARGV[at] == '' and ARGV[at + 3] ~= '' and redis.call('HEXISTS', queue.bodies, ARGV[at + 3]) == 1 then
      return true
    end
  end
  return false
end

local function areGenerated()
  for at = 1, #ARGV, 5 do if ARGV[at] == '' then return true end end
  return false
end

local outcomes = redis.call('GET', mark)
if not outcomes then
  if areGenerated() and (anyBody() or anyDelayed() or lastListed() or anyReserved()) then
    outcomes = ''
    for at = 1, #ARGV, 5 do outcomes = outcomes .. (ARGV[at] == '' and '1' or '0') end
    redis.pcall('SET', mark, outcomes, 'EX', ${settledForSeconds}) -- a full server refuses it, and no harm is done
  else
    ${store}
    outcomes = table.concat(stored)
    redis.call('SET', mark, outcomes, 'EX', ${settledForSeconds}) -- not refused to a script that has written
  end
end
local answer = {}
for digit in string.gmatch(outcomes, '%d') do answer[#answer + 1] = tonumber(digit) end
return answer
`);

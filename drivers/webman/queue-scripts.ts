import { liveIds, script } from './script.js';

/**
 * KEYS: also the mark of this push. ARGV: the queue, how many seconds the mark is kept, then three per job: the id to
 * hold apart or '', when ('+' and ms from now, or ms since the epoch), the package. Answers 1 or 0 per job; repeated
 * it does nothing and answers the same.
 */
export const pushScript = script(`${liveIds}
local mark, queue = KEYS[7], ARGV[1]
local done = redis.call('GET', mark)
if not done then
  check()
  local time = now()
  checkRoom(queue)
  need('HSET', ids, '', '')
  local isMore = moveDue(time)
  local stored = {}
  for at = 3, #ARGV, 3 do
    local id, when, text = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local isNew = true
    if id ~= '' and redis.call('HSET', ids, queue .. '\\0' .. id, '') == 0 then isNew = not isLive(queue, id) end
    if isNew then
      local due
      if string.byte(when) == 43 then due = dueAfter(time, tonumber(string.sub(when, 2)))
      else due = math.ceil(tonumber(when) / 1000) end
      wait(queue, text, due, time, isMore)
    end
    stored[#stored + 1] = isNew and '1' or '0'
  end
  done = table.concat(stored)
  redis.call('SET', mark, done, 'EX', ARGV[2])
end
local answer = {}
for digit in string.gmatch(done, '%d') do answer[#answer + 1] = tonumber(digit) end
return answer
`);

/**
 * ARGV: limit, lease in ms, 14 random hex digits, how many queues, those queues, then two per job to delete before: its
 * token, its queue. Answers three per job (the number of its queue from 1, its token, its package), for each deletion
 * whether its lease was held, and ms until the next package or lease of any queue is due, or -1.
 *
 * Tokens begin with the time and the place in the batch, so that sorting them gives the order of reserving.
 */
export const reserveScript = script(`
check()
local limit, leaseMs, random, queueCount = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local time = now()
local reserved, deleted = {}, {}
for number = 1, queueCount do redis.call('LLEN', listOf(ARGV[4 + number])) end
for at = 5 + queueCount, #ARGV, 2 do
  local text = endLease(ARGV[at], ARGV[at + 1])
  if text then freeId(ARGV[at + 1], text) end
  deleted[#deleted + 1] = text and 1 or 0
end
moveDue(time)
for number = 1, queueCount do
  local queue = ARGV[4 + number]
  while #reserved < limit * 3 do
    local text = redis.call('RPOP', listOf(queue))
    if not text then break end
    local token = string.format('%014x%04x', time * 1000000, (#reserved / 3) % 65536) .. random
    redis.call('HSET', held, token, text)
    redis.call('ZADD', leases, score(time + leaseMs / 1000), token .. ':' .. queue)
    local size = #reserved
    reserved[size + 1], reserved[size + 2], reserved[size + 3] = number, token, text
  end
end
local least = -1
for _, key in ipairs({ delayed, leases }) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  local ms = first and math.max(0, math.ceil((tonumber(first) - time) * 1000))
  if ms and (least < 0 or ms < least) then least = ms end
end
return { reserved, deleted, least }
`);

/** ARGV: lease in ms, then two per job: its token, its queue. */
export const extendScript = script(`
local time, answers = now(), {}
need('ZADD', leases, '0', '')
for at = 2, #ARGV, 2 do
  local member = ARGV[at] .. ':' .. ARGV[at + 1]
  local was = redis.call('ZREM', leases, member)
  if was == 1 then redis.call('ZADD', leases, score(time + tonumber(ARGV[1]) / 1000), member) end
  answers[#answers + 1] = was
end
return answers
`);

/** ARGV: two per job: its token, its queue. */
export const deleteScript = script(`
check()
local answers = {}
for at = 1, #ARGV, 2 do
  local text = endLease(ARGV[at], ARGV[at + 1])
  if text then freeId(ARGV[at + 1], text) end
  answers[#answers + 1] = text and 1 or 0
end
return answers
`);

/**
 * ARGV: '1' where the attempt is spent, then four per job: its token, its queue, the delay in ms, the package that it
 * goes on with or ''.
 */
export const releaseScript = script(`
check()
local time, answers = now(), {}
for at = 2, #ARGV, 4 do checkRoom(ARGV[at + 1]) end
local isMore = moveDue(time)
for at = 2, #ARGV, 4 do
  local queue = ARGV[at + 1]
  local text = endLease(ARGV[at], queue)
  if text then
    if ARGV[at + 3] ~= '' then text = ARGV[at + 3]
    elseif ARGV[1] == '1' then text = spent(text) end
    wait(queue, text, dueAfter(time, tonumber(ARGV[at + 2])), time, isMore)
  end
  answers[#answers + 1] = text and 1 or 0
end
return answers
`);

/** ARGV: two per job, the one reserved last first: its token, its queue. */
export const unreserveScript = script(`
check()
local answers = {}
for at = 1, #ARGV, 2 do checkRoom(ARGV[at + 1]) end
for at = 1, #ARGV, 2 do
  local queue = ARGV[at + 1]
  local text = endLease(ARGV[at], queue)
  if text then redis.call('RPUSH', listOf(queue), text) end
  answers[#answers + 1] = text and 1 or 0
end
return answers
`);

/** Calls \`see(member, score)\` with the delayed packages, and \`seeLease(token, score)\` with the leases, of a queue. */
const lookThrough = `
local queue, time = ARGV[1], now()
local function delayedOfQueue(see)
  for from = 0, redis.call('ZCARD', delayed) - 1, 1000 do
    local page = redis.call('ZRANGE', delayed, from, from + 999, 'WITHSCORES')
    for at = 1, #page, 2 do
      if queueOf(page[at]) == queue then see(page[at], tonumber(page[at + 1])) end
    end
  end
end
local function leasesOfQueue(see)
  local all = redis.call('ZRANGE', leases, 0, -1, 'WITHSCORES')
  for at = 1, #all, 2 do
    if string.sub(all[at], 34) == queue then see(string.sub(all[at], 1, 32), tonumber(all[at + 1])) end
  end
end
local size = { redis.call('LLEN', listOf(queue)), 0, 0 }
local function count(state, due)
  if due <= time then size[1] = size[1] + 1 else size[state] = size[state] + 1 end
end
`;

/** ARGV: a queue. Answers ready, delayed, reserved. */
export const sizeScript = script(`${lookThrough}
delayedOfQueue(function(_, due) count(2, due) end)
leasesOfQueue(function(_, due) count(3, due) end)
return size
`);

/** ARGV: a queue, '1' to remove the reserved jobs too. Answers how many went, as size does. */
export const clearScript = script(`${lookThrough}
check()
local gone, tokens = {}, {}
delayedOfQueue(function(text, due)
  count(2, due)
  gone[#gone + 1] = text
end)
leasesOfQueue(function(token, due)
  if due <= time or ARGV[2] == '1' then
    count(3, due)
    tokens[#tokens + 1] = token
  end
end)
redis.call('UNLINK', listOf(queue))
for _, text in ipairs(gone) do
  redis.call('ZREM', delayed, text)
  freeId(queue, text)
end
for _, token in ipairs(tokens) do
  local text = endLease(token, queue)
  if text then freeId(queue, text) end
end
return size
`);

/**
 * ARGV: a queue, a state, how many to pass over, how many to look at. Answers three per job: its package, when it is
 * or was due or its lease ends (or ''), and its token or ''.
 */
export const peekScript = script(`${lookThrough}
local state, skip, left = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}
local function add(text, due, token)
  if skip > 0 then
    skip = skip - 1
  elseif left > 0 then
    left = left - 1
    local at = #found
    found[at + 1], found[at + 2], found[at + 3] = text, due and score(due) or '', token or ''
  end
end
if state == 'ready' then
  -- The next to come stands last.
  local passed = math.min(skip, size[1])
  for _, text in ipairs(redis.call('LRANGE', listOf(queue), -passed - left, -passed - 1)) do table.insert(found, 1, text) end
  local listed = found
  found, skip = {}, skip - passed
  for _, text in ipairs(listed) do add(text) end
end
delayedOfQueue(function(text, due)
  if state ~= 'reserved' and (due <= time) == (state == 'ready') then add(text, due) end
end)
leasesOfQueue(function(token, due)
  if state ~= 'delayed' and (due <= time) == (state == 'ready') then
    add(redis.call('HGET', held, token) or '', due, token)
  end
end)
return found
`);

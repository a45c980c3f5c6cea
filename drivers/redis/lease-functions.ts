/** How far the ends of two leases that go by their tokens are apart at least: 2^-20 s. Doubles of this century have 2^-22. */
const leaseStep = '2 ^ -20';

/** How many reserved members are looked at in one go: each may be a megabyte. */
export const mostLookedAt = 100;

/** An expression of Lua: the score of a lease that goes by its member. It is no odd multiple of 2^-21. */
export const leaseEnd = (seconds: string): string => `math.floor((${seconds}) * 2 ^ 20) / 2 ^ 20`;

/** Functions of Lua for members that stand as they were pushed. */
export const asPushedFunctions = `
-- Whether it is as drover pushes it, and nobody has taken it since, unless it is a long one that is reserved.
local function isAsPushed(member)
  return string.byte(member) == 123 and string.sub(member, -14) == ',"attempts":0}' and string.sub(member, -56, -48) ~= '"lease":"'
end

-- A reserved member with its lease and its attempt, as all but long ones have them.
local function withLease(member, token)
  if not isAsPushed(member) then return member end
  return string.sub(member, 1, -14) .. '"lease":"' .. token .. '","attempts":1}'
end
`;

/**
 * Functions for the native scripts. A lease is its member, or its token. The sorted set of the leases has for the token of a
 * long job its score among the reserved ones, which no other job has: so a long member is sent, read and hashed no more to
 * settle it, and stays as it was pushed until it is reserved again by an extension. The token of a short one is all that a
 * worker that died has left of it; it is looked for in the members.
 *
 * Scores of long jobs are odd multiples of 2^-21 s, those of all others even ones, as PHP's whole seconds are.
 */
export const leaseFunctions = `
local leaseStep = ${leaseStep}

local function leaseEnd(seconds) return ${leaseEnd('seconds')} end

-- The first of so many scores from there on, a step apart, that no lease of the queue has.
local function freeEnds(queue, seconds, count)
  local first = leaseEnd(seconds) + leaseStep / 2
  while true do
    local last = score(first + (count - 1) * leaseStep)
    local taken = redis.call('ZREVRANGEBYSCORE', queue.leases, last, score(first), 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not taken then return first end
    first = tonumber(taken) + leaseStep
  end
end

-- The reserved member with that token and score, if it is still there.
local function memberAt(queue, at, token)
  local asPushed
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', queue.reserved, at, at)) do
    if string.find(member, '"lease":"' .. token .. '",', -200, true) then return member end
    if isAsPushed(member) then asPushed = member end
  end
  return asPushed
end

-- The reserved members whose tokens are among the arguments. They end as the first reserve of a job has left it:
-- the token of an older lease may stand in a member that PHP holds, with more attempts.
local function membersSought(queue)
  local sought, found = {}, {}
  for _, argument in ipairs(ARGV) do
    if #argument == 32 then sought[argument] = true end
  end
  for from = 0, redis.call('ZCARD', queue.reserved) - 1, ${mostLookedAt} do
    for _, member in ipairs(redis.call('ZRANGE', queue.reserved, from, from + ${mostLookedAt - 1})) do
      local token = string.sub(member, -47, -16)
      local isIt = sought[token] and string.sub(member, -15) == '","attempts":1}'
      if isIt and string.sub(member, -56, -48) == '"lease":"' then found[token] = member end
    end
  end
  return found
end

-- The reserved member of a token, if there is one, and the score that the leases have for it, if they have one.
local function memberOf(queue, token)
  local at = redis.call('ZSCORE', queue.leases, token)
  if at then return memberAt(queue, at, token), at end
  queue.sought = queue.sought or membersSought(queue)
  return queue.sought[token], nil
end

-- Takes the job of a lease off the reserved ones. Answers 1 or 0, as the lease was held or not, its member with its lease,
-- and its token where that was among the leases.
local function take(queue, lease)
  if string.byte(lease) == 123 then return redis.call('ZREM', queue.reserved, lease), lease end
  local member, at = memberOf(queue, lease)
  if at then redis.call('ZREM', queue.leases, lease) end
  if not member then return 0, lease end
  return redis.call('ZREM', queue.reserved, member), withLease(member, lease), at and lease
end

-- As take, for who needs no member. What stands alone where the lease says is its job; to count what stands there would be to
-- compare each byte of it.
local function drop(queue, lease)
  if string.byte(lease) == 123 then return redis.call('ZREM', queue.reserved, lease) end
  local at = redis.call('ZSCORE', queue.leases, lease)
  if not at then return (take(queue, lease)) end
  if redis.call('ZRANGEBYSCORE', queue.reserved, at, at, 'LIMIT', 1, 1)[1] then return (take(queue, lease)) end
  redis.call('ZREM', queue.leases, lease)
  return redis.call('ZREMRANGEBYSCORE', queue.reserved, at, at)
end

-- Reserves a job again, by the token with which take has answered.
local function holdAgain(queue, token, member, seconds)
  if not token then return redis.call('ZADD', queue.reserved, score(leaseEnd(seconds)), member) end
  local at = score(freeEnds(queue, seconds, 1))
  redis.call('ZADD', queue.reserved, at, member)
  redis.call('ZADD', queue.leases, at, token)
end
`;

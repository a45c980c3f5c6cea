/** How far the ends of two leases that go by their tokens are apart at least: 2^-20 s. Doubles of this century have 2^-22. */
const leaseStep = '2 ^ -20';

/** An expression of Lua: the score of a lease that goes by its member. It is no odd multiple of 2^-21. */
export const leaseEnd = (seconds: string): string => `math.floor((${seconds}) * 2 ^ 20) / 2 ^ 20`;

/**
 * Functions for the native scripts. A lease is its member, or the token of a long one: the sorted set of the leases has its
 * score among the reserved jobs, which no other job has. So a long member is sent, read and hashed no more to settle it.
 *
 * Scores of such jobs are odd multiples of 2^-21 s, those of all others even ones, as PHP's whole seconds are.
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
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', queue.reserved, at, at)) do
    if string.find(member, '"lease":"' .. token .. '",', -200, true) then return member end
  end
  return nil
end

-- Takes the job of a lease off the reserved ones. Answers 1 or 0, as the lease was held or not, and its member.
local function take(queue, lease)
  if string.byte(lease) == 123 then return redis.call('ZREM', queue.reserved, lease), lease end
  local at = redis.call('ZSCORE', queue.leases, lease)
  local member = at and memberAt(queue, at, lease)
  if at then redis.call('ZREM', queue.leases, lease) end
  if not member then return 0, lease end
  return redis.call('ZREM', queue.reserved, member), member
end

-- As take, for who needs no member. What stands alone where the lease says is its job.
local function drop(queue, lease)
  if string.byte(lease) == 123 then return redis.call('ZREM', queue.reserved, lease) end
  local at = redis.call('ZSCORE', queue.leases, lease)
  if not at then return 0 end
  if redis.call('ZCOUNT', queue.reserved, at, at) > 1 then return (take(queue, lease)) end
  redis.call('ZREM', queue.leases, lease)
  return redis.call('ZREMRANGEBYSCORE', queue.reserved, at, at)
end

-- Reserves a job again that was taken by this lease.
local function holdAgain(queue, lease, member, seconds)
  if lease == member then return redis.call('ZADD', queue.reserved, score(leaseEnd(seconds)), member) end
  local at = score(freeEnds(queue, seconds, 1))
  redis.call('ZADD', queue.reserved, at, member)
  redis.call('ZADD', queue.leases, at, lease)
end
`;

import { leased } from './dialect.js';
import { scriptsIn } from './script.js';

/** From how many characters on a body makes a job a long one. */
export const longBody = 4096;

/** How many jobs are read, made and reserved together: their bytes shall still be in the processor's cache. */
const atOnce = 8;

/** How many jobs one call takes at most: what a script hands over at once is limited. */
const mostTaken = 500;

/**
 * What the script for many does, for long jobs: Lua hashes each byte of each text that it gets or makes, so a long member is
 * reserved as it was pushed, and settled by its token (see `leaseFunctions`).
 *
 * KEYS: a queue. ARGV: limit, lease in ms, 14 random hex digits, then what settles the jobs to delete. Answers 0 where the
 * whole script has to do it, or the beginning of the tokens, '1' or '0' for each deletion as its lease was held or not, or ''
 * where all were, and the members as they were pushed.
 */
export const nextLongScript = scriptsIn(leased)(`
local call, format = redis.call, string.format
local queue, random = lane(1), ARGV[3]
local may = redis.acl_check_cmd
if not may or not (may('LTRIM', queue.list, '0', '0') and may('ZADD', queue.reserved, '0', '')) then return 0 end
local time = now()
local current, began = score(time), format('%014x', time * 1000000)
if call('ZCOUNT', queue.delayed, '-inf', current) > 0 or call('ZCOUNT', queue.reserved, '-inf', current) > 0 then return 0 end

local function freshUpTo(most)
  if most == 0 then return {} end
  local members, count = call('LRANGE', queue.list, 0, most - 1), 0
  while count < #members and isAsPushed(members[count + 1]) and string.byte(members[count + 1], 3) ~= 100 do count = count + 1 end
  for at = #members, count + 1, -1 do members[at] = nil end
  return members
end

-- Two jobs of the same bytes stay two: the second has its lease in its member.
local function reserve(members, leases, from)
  local added = {}
  for at, member in ipairs(members) do
    local ending, token = leases[from + at * 2 - 1], leases[from + at * 2]
    added[at * 2 - 1], added[at * 2] = ending, #member < ${longBody} and withLease(member, token) or member
  end
  if call('ZADD', queue.reserved, 'NX', unpack(added)) == #members then return end
  for at, member in ipairs(members) do
    local ending, token = leases[from + at * 2 - 1], leases[from + at * 2]
    local stands = call('ZSCORE', queue.reserved, added[at * 2])
    if tonumber(stands) ~= tonumber(ending) then call('ZADD', queue.reserved, ending, withLease(member, token)) end
  end
end

local limit = math.min(tonumber(ARGV[1]), ${mostTaken})
local members = freshUpTo(math.min(limit, ${atOnce}))
if #members == 0 then return 0 end
local ends = freeEnds(queue, time + tonumber(ARGV[2]) / 1000, limit)

local held, lost = {}, false
for at = 4, #ARGV do
  local was = remove(queue, ARGV[at])
  held[at - 3], lost = was, lost or was == 0
end
local count, texts, leases = 0, {}, {}
repeat
  call('LTRIM', queue.list, #members, -1)
  local from = count * 2
  for _, member in ipairs(members) do
    leases[count * 2 + 1], leases[count * 2 + 2] = score(ends + count * leaseStep), began .. format('%04x', count) .. random
    count = count + 1
    texts[count] = member
  end
  reserve(members, leases, from)
  members = freshUpTo(math.min(limit - count, ${atOnce}))
until #members == 0
call('ZREMRANGEBYSCORE', queue.leases, '-inf', current) -- of jobs that PHP put back
call('ZADD', queue.leases, unpack(leases))
return { began, lost and table.concat(held) or '', texts }
`);

import { leased } from './dialect.js';
import { scriptsIn } from './script.js';

/** From how many characters on a body makes a job a long one. */
export const longBody = 4096;

/** From how many bytes on a member is made by the server itself, where Lua would hash each byte of each part. */
const longMember = 1000;

/** How many jobs are read, made and reserved together: their bytes shall still be in the processor's cache. */
const atOnce = 8;

/** How many jobs one call takes at most: what a script hands over at once is limited. */
const mostTaken = 500;

/**
 * What the script for many does, for long jobs: Lua hashes each byte of each text that it gets or makes, here twice for
 * each job, as it is read and as it is reserved. Such a job is settled by its token (see `leaseFunctions`).
 *
 * KEYS: a queue, and a name for members that are being made: they go to no replica and no file. ARGV: limit, lease in ms, 14 random hex
 * digits, then what settles the jobs to delete. Answers 0 where the whole script has to do it, or the beginning of the tokens,
 * '1' or '0' for each deletion as its lease was held or not, or '' where all were, and the members as they were pushed.
 */
export const nextLongScript = scriptsIn(leased)(`
local call, sub, byte, find, format = redis.call, string.sub, string.byte, string.find, string.format
local queue, draft, random = lane(1), KEYS[#KEYS], ARGV[3]
local may = redis.acl_check_cmd
if not may or not redis.set_repl then return 0 end
if not (may('LTRIM', queue.list, '0', '0') and may('ZADD', queue.reserved, '0', '')) then return 0 end
if not (may('SET', draft, '') and may('GET', draft) and may('DEL', draft)) then return 0 end
if redis.pcall('SETRANGE', draft, 0, '') ~= 0 then return 0 end -- writes nothing; a server tells in its log of a right that is missing
local time = now()
local current, began = score(time), format('%014x', time * 1000000)
if call('ZCOUNT', queue.delayed, '-inf', current) > 0 or call('ZCOUNT', queue.reserved, '-inf', current) > 0 then return 0 end

local function isFresh(member)
  local brace, _, first = byte(member, 1, 3)
  return brace == 123 and first ~= 100 and find(member, ',"attempts":0}', -14, true) and sub(member, -56, -48) ~= '"lease":"'
end

local function freshUpTo(most)
  if most == 0 then return {}, 0 end
  local members, count = call('LRANGE', queue.list, 0, most - 1), 0
  while count < #members and isFresh(members[count + 1]) do count = count + 1 end
  return members, count
end

-- The tail of a member is written over the one that was pushed.
local function reservedOf(member, tail)
  if #member < ${longMember} then return sub(member, 1, -14) .. tail end
  call('SET', draft, member)
  call('SETRANGE', draft, #member - 13, tail)
  return call('GET', draft)
end

local limit = math.min(tonumber(ARGV[1]), ${mostTaken})
local members, fresh = freshUpTo(math.min(limit, ${atOnce}))
if fresh == 0 then return 0 end
local ends = freeEnds(queue, time + tonumber(ARGV[2]) / 1000, limit)

local held, lost = {}, false
for at = 4, #ARGV do
  local was = remove(queue, ARGV[at])
  held[at - 3], lost = was, lost or was == 0
end
local count, texts, leases = 0, {}, {}
repeat
  call('LTRIM', queue.list, fresh, -1)
  redis.set_repl(redis.REPL_NONE)
  local added = {}
  for at = 1, fresh do
    local member, token, ending = members[at], began .. format('%04x', count) .. random, score(ends + count * leaseStep)
    added[at * 2 - 1], added[at * 2] = ending, reservedOf(member, '"lease":"' .. token .. '","attempts":1}')
    leases[count * 2 + 1], leases[count * 2 + 2] = ending, token
    count = count + 1
    texts[count] = member
  end
  redis.set_repl(redis.REPL_ALL)
  call('ZADD', queue.reserved, unpack(added))
  members, fresh = freshUpTo(math.min(limit - count, ${atOnce}))
until fresh == 0
redis.set_repl(redis.REPL_NONE)
call('DEL', draft)
redis.set_repl(redis.REPL_ALL)
call('ZREMRANGEBYSCORE', queue.leases, '-inf', current) -- of jobs that PHP put back
call('ZADD', queue.leases, unpack(leases))
return { began, lost and table.concat(held) or '', texts }
`);

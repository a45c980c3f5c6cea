import { leaseEnd } from './lease-functions.js';
import { plainScript } from './script.js';

/** How many jobs one call takes at most: what a script hands over at once is limited. */
const mostTaken = 500;

/**
 * How many bytes of members are joined: one text costs who gets it less than many do, but Lua makes one that is longer
 * than its buffer of 8,192 bytes several times over, and hashes each byte of it each time.
 */
const joinedBytes = 8000;

/**
 * What a busy worker needs again and again: its jobs deleted, and the next of a long list taken, all of them as a push has
 * written them. It takes half as long as the whole script, which it leaves all else to, with nothing done: what is due or
 * lapsed, ids and bodies that are kept beside jobs, jobs that were delivered before, an empty list, rights that are missing.
 *
 * KEYS: the list, the delayed and the reserved jobs, the ids, the bodies. ARGV: limit, lease in ms, 14 random hex digits,
 * then the members to delete. Answers 0 where the whole script has to do it; else the beginning of the tokens, '1' or '0'
 * for each deletion as its lease was held or not, or '' where all were; the sizes of the members, four bytes each, lowest
 * first; and the members as they were pushed, joined to one text or several.
 */
export const nextScript = plainScript(`
local call, sub = redis.call, string.sub
local list, reserved = KEYS[1], KEYS[3]
local may = redis.acl_check_cmd
if may and not may('ZADD', reserved, '0', '') then return 0 end
local clock = call('TIME')
local seconds, micros = clock[1], tonumber(clock[2])
local now = seconds .. '.' .. sub(1000000 + micros, 2)
if call('EXISTS', KEYS[4], KEYS[5]) > 0 then return 0 end
if call('ZCOUNT', KEYS[2], '-inf', now) > 0 or call('ZCOUNT', reserved, '-inf', now) > 0 then return 0 end

local limit = math.min(tonumber(ARGV[1]), ${mostTaken})
local members = call('LRANGE', list, 0, limit - 1)
local time = tonumber(seconds) + micros / 1000000
local began, ends = string.format('%014x', time * 1000000), string.format('%.17g', ${leaseEnd('time + tonumber(ARGV[2]) / 1000')})
local rest, added, sizes, count = ARGV[3] .. '","attempts":1}', {}, {}, 0
local texts, from, bytes = {}, 1, 0
local byte, find, format, concat = string.byte, string.find, string.format, table.concat
for place, member in ipairs(members) do
  local brace, _, first = byte(member, 1, 3)
  if brace ~= 123 or first == 100 or not find(member, ',"attempts":0}', -14, true) then break end
  if sub(member, -56, -48) == '"lease":"' then break end
  added[place * 2 - 1] = ends
  added[place * 2] = sub(member, 1, -14) .. '"lease":"' .. began .. format('%04x', place - 1) .. rest
  local size = #member
  if bytes + size > ${joinedBytes} and count > 0 then
    texts[#texts + 1] = concat(members, '', from, count)
    from, bytes = place, 0
  end
  sizes[place], count, bytes = size, place, bytes + size
end
if count == 0 then return 0 end

local held, lost = {}, false
for at = 4, #ARGV do
  local was = call('ZREM', reserved, ARGV[at])
  held[at - 3], lost = was, lost or was == 0
end
if count == 1 then call('LPOP', list)
elseif may and may('LTRIM', list, '0', '0') then call('LTRIM', list, count, -1)
else call('LPOP', list, count) end
call('ZADD', reserved, unpack(added))
local text = from == count and members[count] or concat(members, '', from, count)
if from > 1 then texts[#texts + 1] = text end
local packed = struct.pack(string.rep('<I4', count), unpack(sizes))
return { began, lost and concat(held) or '', packed, from > 1 and texts or text }
`);

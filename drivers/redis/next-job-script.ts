import { leaseEnd } from './lease-functions.js';
import { plainScript } from './script.js';

/**
 * What a worker that takes one job a trip needs again and again: its last job deleted, and the next of a long list taken,
 * as a push has written it. Half of what the script for many takes, which leaves all the same to the whole script.
 *
 * KEYS: the list, the delayed and the reserved jobs, the ids, the bodies. ARGV: lease in ms, the end of the token, and the
 * member to delete, if any. Answers 0 where the whole script has to do it; else 14 digits that the token begins with and the
 * member as it was pushed, in one text, which is in a list where the lease of the one to delete was lost.
 */
export const nextJobScript = plainScript(`
local call, sub = redis.call, string.sub
local list, reserved = KEYS[1], KEYS[3]
if redis.acl_check_cmd and not redis.acl_check_cmd('ZADD', reserved, '0', '') then return 0 end
local clock = call('TIME')
local now = clock[1] .. '.' .. sub(1000000 + clock[2], 2)
if call('EXISTS', KEYS[2], KEYS[4], KEYS[5]) > 0 then -- mostly there is none
  if call('EXISTS', KEYS[4], KEYS[5]) > 0 or call('ZCOUNT', KEYS[2], '-inf', now) > 0 then return 0 end
end
if call('ZCOUNT', reserved, '-inf', now) > 0 then return 0 end
local member = call('LRANGE', list, 0, 0)[1]
if not member or sub(member, -14) ~= ',"attempts":0}' or sub(member, -56, -48) == '"lease":"' then return 0 end
local brace, _, first = string.byte(member, 1, 3)
if brace ~= 123 or first == 100 then return 0 end

local held = ARGV[3] and call('ZREM', reserved, ARGV[3])
call('LPOP', list)
local time = clock[1] + clock[2] / 1000000
local began = string.format('%014x', time * 1000000)
local lease = '"lease":"' .. began .. ARGV[2] .. '","attempts":1}'
call('ZADD', reserved, ${leaseEnd('time + ARGV[1] / 1000')}, sub(member, 1, -14) .. lease)
local answer = began .. member
return held == 0 and { answer } or answer
`);

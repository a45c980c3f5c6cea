import { leaseEnd } from './lease-functions.js';
import { longBody } from './next-long-script.js';
import { watchedForMs } from './reserve-script.js';
import { plainScript } from './script.js';

/** How many jobs one call takes at most. */
const mostTaken = 100;

/**
 * The reserve that waits in the server for a job to come. It takes what stands at the head of the list, if that is as
 * a push has written it, and leaves all else to the whole script, a short one's ten times as long. Moving what is due or
 * lapsed can wait for that one too: it would go to the tail.
 *
 * It does nothing for a connector that does not watch the queue by now: one that got all that it could take in another
 * way, or has not said for a while that it still waits.
 *
 * Whoever takes something marks so who watches, by the number of this call: that one has to ask again before another such
 * call may take anything, others may watch in its place, and the reserve that it sends next learns that this came before.
 *
 * KEYS: the list, the reserved jobs, the watcher of a queue. ARGV: limit, lease in ms, 14 random hex digits,
 * the id of the connector, the number of the call. Answers the token and the member of each job, and 1 where the connector
 * has got all that it can take, else 0. One job that is not long comes in one text, this digit, the token and the member, as each
 * element of a reply takes the client as long as all that it does with the job. A connector that has got all then rouses
 * another one itself: the wake would overtake the jobs.
 */
export const takeScript = plainScript(`
local limit, reserved = tonumber(ARGV[1]), {}
if redis.pcall('GET', KEYS[3]) ~= ARGV[4] then return { reserved, 0 } end
redis.call('ZCARD', KEYS[2]) -- a key of another type is refused here, before anything is written
if redis.acl_check_cmd and not redis.acl_check_cmd('ZADD', KEYS[2], '0', '') then return { reserved, 0 } end
local clock = redis.call('TIME')
local time = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local ends = string.format('%.17g', ${leaseEnd('time + tonumber(ARGV[2]) / 1000')})
for place = 0, math.min(limit, ${mostTaken}) - 1 do
  local member = redis.call('LRANGE', KEYS[1], 0, 0)[1]
  if not member or string.sub(member, -14) ~= ',"attempts":0}' or string.byte(member) ~= 123 then break end
  if string.sub(member, -56, -48) == '"lease":"' or string.sub(member, 1, 11) == '{"drover":"' then break end
  redis.call('LPOP', KEYS[1])
  local token = string.format('%014x%04x', time * 1000000, place) .. ARGV[3]
  local held = string.sub(member, 1, -14) .. '"lease":"' .. token .. '","attempts":1}'
  redis.call('ZADD', KEYS[2], ends, held)
  reserved[#reserved + 1] = token
  reserved[#reserved + 1] = held
end
if #reserved == 0 then return { reserved, 0 } end
redis.call('SET', KEYS[3], ARGV[4] .. '+' .. ARGV[5], 'PX', ${watchedForMs})
local isFull = #reserved < limit * 2 and 0 or 1
if #reserved == 2 and #reserved[2] < ${longBody} then return isFull .. reserved[1] .. reserved[2] end
return { reserved, isFull }
`);

import { plainScript } from './script.js';

/** How many jobs one call takes at most. */
const mostTaken = 100;

/**
 * The reserve of who has just heard of a job: it takes what stands at the head of the list, if that is as a push has
 * written it, and leaves all else to the whole script, a short one's ten times as long. Moving what is due or lapsed can
 * wait for that one too: it would go to the tail.
 *
 * KEYS: the list, the reserved jobs, the watcher, the wake of a queue. ARGV: limit, lease in ms, 14 random hex digits,
 * the id of the connector. Answers the token and the member of each job, and 1 where the connector, which has got all
 * that it can take, watches the queue no more.
 */
export const takeScript = plainScript(`
local limit, id, reserved = tonumber(ARGV[1]), ARGV[4], {}
redis.call('ZCARD', KEYS[2]) -- a key of another type is refused here, before anything is written
if redis.acl_check_cmd and not redis.acl_check_cmd('ZADD', KEYS[2], '0', '') then return { reserved, 0 } end
local clock = redis.call('TIME')
local time = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local ends = string.format('%.17g', time + tonumber(ARGV[2]) / 1000)
for place = 0, math.min(limit, ${mostTaken}) - 1 do
  local member = redis.call('LINDEX', KEYS[1], 0)
  if not member or string.sub(member, -14) ~= ',"attempts":0}' or string.byte(member) ~= 123 then break end
  if string.sub(member, -56, -48) == '"lease":"' or string.sub(member, 1, 11) == '{"drover":"' then break end
  redis.call('LPOP', KEYS[1])
  local token = string.format('%014x%04x', time * 1000000, place) .. ARGV[3]
  local held = string.sub(member, 1, -14) .. '"lease":"' .. token .. '","attempts":1}'
  redis.call('ZADD', KEYS[2], ends, held)
  reserved[#reserved + 1] = token
  reserved[#reserved + 1] = held
end
if #reserved < limit * 2 or redis.pcall('GET', KEYS[3]) ~= id then return { reserved, 0 } end
redis.call('DEL', KEYS[3])
if redis.pcall('LLEN', KEYS[4]) == 0 then
  redis.pcall('RPUSH', KEYS[4], '1')
  redis.pcall('PEXPIRE', KEYS[4], 2000)
end
return { reserved, 1 }
`);

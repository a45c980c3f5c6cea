import { plainScript } from './script.js';

/** How many workers whose time is over one beat forgets at most. */
const mostForgotten = 100;

/**
 * A function for scripts: stores one beat. Nothing may fail for the sake of a beat (a full server, a right that is
 * missing, a key of another type), so it answers what is wrong instead of throwing.
 */
export const beatFunction = `
local function beat(workers, untils, time, id, keepMs, about)
  local over = redis.pcall('ZRANGEBYSCORE', untils, '-inf', string.format('%.17g', time), 'LIMIT', 0, ${mostForgotten})
  if over.err then return over.err end
  for _, gone in ipairs(over) do
    redis.pcall('ZREM', untils, gone)
    redis.pcall('HDEL', workers, gone)
  end
  local added = redis.pcall('ZADD', untils, string.format('%.17g', time + keepMs / 1000), id)
  if type(added) == 'table' and added.err then return added.err end
  local set = redis.pcall('HSET', workers, id, about)
  if type(set) == 'table' and set.err then return set.err end
  return ''
end
`;

const now = `
local clock = redis.call('TIME')
local time = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
`;

/**
 * KEYS: signals, then the workers and the ends of their beats where there are beats. ARGV: how many signals; then three
 * per beat: id, ms that it holds, about. Answers the values of the signals, then what went wrong with the beats or ''.
 */
export const lookScript = plainScript(`
${beatFunction}
${now}
local values, problem = {}, ''
local signals = tonumber(ARGV[1])
for at = 1, signals do values[at] = redis.call('GET', KEYS[at]) end
for at = 2, #ARGV, 3 do
  local wrong = beat(KEYS[signals + 1], KEYS[signals + 2], time, ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2])
  if wrong ~= '' then problem = wrong end
end
return { values, problem }
`);

/** KEYS: the workers, the ends of their beats. ARGV: id, ms that the beat holds, about. */
export const beatScript = plainScript(`
${beatFunction}
${now}
local wrong = beat(KEYS[1], KEYS[2], time, ARGV[1], tonumber(ARGV[2]), ARGV[3])
if wrong ~= '' then error({ err = wrong }) end
return 1
`);

/** KEYS: the workers, the ends of their beats. Answers three per live worker: id, about, ms that its beat still holds. */
export const listWorkersScript = plainScript(`
${now}
local live = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.17g', time), '+inf', 'WITHSCORES')
local answer = {}
for at = 1, #live, 2 do
  local size = #answer
  answer[size + 1], answer[size + 2] = live[at], redis.call('HGET', KEYS[1], live[at]) or ''
  answer[size + 3] = math.ceil((tonumber(live[at + 1]) - time) * 1000)
end
return answer
`);

/** KEYS: the workers, the ends of their beats. ARGV: an id. */
export const leaveScript = plainScript(`
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
`);

/** KEYS: a signal. ARGV: '1' where it must have the next, '0' where it must not be set; the value expected; the new one. */
export const swapScript = plainScript(`
local value = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then
  if value then return 0 end
elseif value ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[3])
return 1
`);

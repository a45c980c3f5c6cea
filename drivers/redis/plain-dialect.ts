import { type Dialect, tailBytes } from './dialect.js';

/** Bits of a second that a lease's mark takes up; its end is rounded up to what is left, 1/16 s. */
const markBits = 18;
/** The finest step of a score, a double, for times of this century. */
const finestBits = 22;

/** How many brackets and strings are passed over in search of `attempts`: each costs the server some 100 ns. */
const mostSteps = 20_000;
const mostPlaces = 50;

/**
 * How to write members that carry nothing of ours: their readers would pass it on, or look for what they wrote. The
 * lease is in the score, whose last bits are a number drawn by the reserve: it must be there still when the job is
 * settled, and stays when the lease is extended.
 *
 * @param counts.first what `attempts` of a new job is.
 * @param counts.onReserve whether an attempt counts when the job is taken, else when it is released or its lease lapses.
 * @param notifies whether a list beside that of the ready jobs has one entry for each of them.
 */
export function plainDialect(
  counts: { readonly first: 0 | 1; readonly onReserve: boolean },
  notifies: boolean,
): Dialect {
  const { first, onReserve } = counts;
  return {
    members: members + counting(first, onReserve) + marks + (notifies ? level : ''),
    released: 'released',
    unspent: '',
    take: 'local was, mark\n  was, member, mark = take(queue, member)',
    drop: 'take',
    holdAgain: (seconds) => `redis.call('ZADD', queue.reserved, leaseEnd(${seconds}, mark), member)`,
    hold,
    twin: `-- A second job of the same bytes must not take the place of the first: it is due early.
    if redis.call('ZSCORE', lane.delayed, member) then return redis.call('RPUSH', lane.list, member) end`,
    pushesPlainly: !notifies,
    ...(notifies && { afterwards: leveled }),
  };
}

const members = `
-- Whether what stands at a place, which is in no string, is in the outermost object. Nil where it is too far to tell.
local steps = 0
local function isOutermost(member, at)
  local depth = 0
  while true do
    local found = string.find(member, '["{}%[%]]', at)
    if not found then return depth == -1 end
    steps = steps + 1
    if steps > ${mostSteps} then return nil end
    local byte = string.byte(member, found)
    at = found + 1
    if byte == 123 or byte == 91 then depth = depth + 1
    elseif byte == 125 or byte == 93 then depth = depth - 1
    else
      repeat
        local stop = string.find(member, '["\\\\]', at)
        if not stop then return nil end
        at = string.byte(member, stop) == 92 and stop + 2 or stop + 1
        steps = steps + 1
      until string.byte(member, stop) == 34 or steps > ${mostSteps}
    end
  end
end

-- Others write it anywhere: cjson in no order. The last one counts, as it does to PHP.
local function splitAnywhere(member)
  local places, from = {}, 1
  while #places < ${mostPlaces} do
    local found = string.find(member, '"attempts"', from, true)
    if not found then break end
    places[#places + 1] = found
    from = found + 10
  end
  steps = 0
  for index = #places, 1, -1 do
    local at = places[index]
    local name, digits, stop = string.match(member, '^("attempts"%s*:%s*)(%d+)()%s*[,}]', at)
    if name and string.find(string.sub(member, math.max(1, at - 20), at - 1), '[,{]%s*$') then
      local isIt = isOutermost(member, stop)
      if isIt == nil then return nil end
      if isIt then return string.sub(member, 1, at - 1), name, digits, string.sub(member, stop) end
    end
  end
  return nil
end

local tailForms = {
  '^(.*[,{]%s*)("attempts"%s*:%s*)(%d+)(%s*}%s*)$',
  '^(.*[,{]%s*)("attempts"%s*:%s*)(%d+)(%s*,%s*"delay"%s*:%s*[%dnul]+%s*}%s*)$',
}

-- Takes a member apart: what stands before its attempts, their name, the number, the rest. Nil where there are
-- none, and then nobody may patch it.
local function split(member)
  if string.byte(member) ~= 123 then return nil end
  local tail = string.sub(member, -${tailBytes})
  local head, name, digits, rest
  for _, form in ipairs(tailForms) do
    head, name, digits, rest = string.match(tail, form)
    if head then break end
  end
  if head then
    head = string.sub(member, 1, #member - #tail) .. head
  else
    head, name, digits, rest = splitAnywhere(member)
  end
  if not head or #digits > 9 or (#digits > 1 and string.byte(digits) == 48) then return nil end
  return head, name, digits, rest
end
`;

const counting = (first: number, onReserve: boolean): string => `
local function counted(member, by)
  local head, name, digits, rest = split(member)
  if not head then return nil end
  if by == 0 then return member end
  return head .. name .. string.format('%d', math.max(${first}, tonumber(digits) + by)) .. rest
end

local function taken(member) return counted(member, ${onReserve ? 1 : 0}) end
local function released(member) return counted(member, ${onReserve ? 0 : 1}) or member end
local function unspent(member) return counted(member, ${onReserve ? -1 : 0}) or member end
`;

const marks = `
-- A lease ends with its mark, in the last bits of its score. Others write whole seconds, whose mark is 0.
local function leaseEnd(seconds, mark)
  local step = ${2 ** (finestBits - markBits)}
  return score(math.ceil(seconds * step) / step + mark / ${2 ** finestBits})
end

-- Takes what a lease names off the reserved jobs: its mark, a blank, its member.
local function take(queue, lease)
  local blank = string.find(lease, ' ', 1, true)
  local mark, member = tonumber(string.sub(lease, 1, blank - 1)), string.sub(lease, blank + 1)
  local at = redis.call('ZSCORE', queue.reserved, member)
  if not at or tonumber(at) * ${2 ** finestBits} % ${2 ** markBits} ~= mark then return 0, member, mark end
  return redis.call('ZREM', queue.reserved, member), member, mark
end
`;

const hold = `local function holdOne(queue, member, place)
  local token = began .. string.format('%04x', place % 65536) .. random
  local mark = (tonumber(string.sub(random, 1, 8), 16) + place) % ${2 ** markBits - 1} + 1
  local held, body = taken(member), nil
  if not held or redis.call('ZSCORE', queue.reserved, held) then
    -- Nobody patches what is not understood, and no lease may take the place of another's: it is kept aside.
    body = member
    redis.call('HSET', queue.bodies, token, member)
    held = '{"drover":"' .. token .. '","id":"' .. token .. '","attempts":1}'
  else
    local key = bodyKey(member)
    body = key and redis.call('HGET', queue.bodies, key) or nil
  end
  redis.call('ZADD', queue.reserved, leaseEnd(time + leaseMs / 1000, mark), held)
  return string.format('%d %s', mark, held), body
end

-- One by one: what one is stored as depends on those that are reserved already.
local function hold(queue, members)
  local sizes, texts = {}, {}
  for place, member in ipairs(members) do
    redis.call('LPOP', queue.list)
    local lease, body = holdOne(queue, member, count + place - 1)
    sizes[#sizes + 1], texts[#texts + 1] = #lease, lease
    if body and body ~= '' then sizes[#sizes + 1], texts[#texts + 1] = -#body, body end
  end
  return sizes, texts
end`;

const level = `
-- One entry for each ready job, which Laravel's workers block for.
local function level(list, notify)
  local missing = redis.call('LLEN', list) - redis.call('LLEN', notify)
  for from = 1, missing, 1000 do
    local entries = {}
    for at = from, math.min(from + 999, missing) do entries[#entries + 1] = '1' end
    redis.call('RPUSH', notify, unpack(entries))
  end
  if missing < 0 then redis.call('LTRIM', notify, -missing, -1) end
end
`;

const leveled = `
local answer = work()
for _, queue in pairs(lanes) do level(queue.list, queue.list .. ':notify') end
return answer`;

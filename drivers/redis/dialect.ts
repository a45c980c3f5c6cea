/** The last bytes of a member that a pattern looks at: a pattern over a hostile megabyte would hold up Redis. */
export const tailBytes = 200;

/**
 * How the scripts write the members of a wire, as pieces of Lua. Whatever moves jobs is the same for all of them.
 *
 * A piece of several statements is made of whole ones and may use what is in scope where it stands, as each says.
 */
export interface Dialect {
  /**
   * Functions for all scripts. `split(member)` takes a member apart: what stands before its attempts, their name, the
   * number, the rest; nil where it has not the form, and then nobody may patch it.
   */
  readonly members: string;
  /** Name of a function of `members`: the member that is released, or whose lease has lapsed. */
  readonly released: string;
  /** The function `unspent(member)`: the member with its last attempt taken back. */
  readonly unspent: string;
  /** The function `thrown(member)`: what is released with one error more counted. Absent where there is no place for that. */
  readonly thrown?: string;
  /**
   * With `queue` and `member`, which is what a lease names: removes that job from the reserved ones if its lease is
   * held. Sets a new local `was` to 1 or 0; `member` is the stored one from then on.
   */
  readonly take: string;
  /** The score that a lease has which ends at `seconds`; behind `take` where there is one. */
  leaseEnd(seconds: string): string;
  /** The function `hold(queue, number, members)`: moves the jobs that stand first in the list to the reserved ones. */
  readonly hold: string;
  /** With `lane`, `member`, `spare`: keeps two jobs apart that have the same bytes and shall both be delayed. */
  readonly twin: string;
  /** What follows a script whose body is the function `work`. */
  readonly afterwards?: string;
  /** True where a push may put members into the list without any of this. */
  readonly pushesPlainly: boolean;
}

const members = `-- Takes the tail of a member apart: what stands before, '"attempts":' (with our count of errors before it, where
-- there is one), the number, the rest. Nil where it has not this form, and then nobody may patch it. A lease of ours
-- is left out.
local function split(member)
  if string.byte(member) ~= 123 then return nil end
  -- As it is pushed: no pattern is needed.
  if string.sub(member, -14) == ',"attempts":0}' and string.sub(member, -56, -48) ~= '"lease":"' then
    return string.sub(member, 1, -14), '"attempts":', '0', '}'
  end
  local tail = string.sub(member, -${tailBytes})
  local head, name, digits, rest = string.match(tail, '^(.*)("attempts"%s*:%s*)(%d+)(%s*}%s*)$')
  if not head or #digits > 9 or (#digits > 1 and string.byte(digits) == 48) then return nil end
  local before, thrown = string.match(head, '^(.*)("drover:exceptions"%s*:%s*%d+%s*,%s*)$')
  if thrown then head = before end
  local free, token = string.match(head, '^(.*)"lease":"(%x+)",$')
  if token and #token == 32 then head = free end
  if thrown then name = thrown .. name end
  if not string.find(head, '[,{]%s*$') then return nil end
  return string.sub(member, 1, #member - #tail) .. head, name, digits, rest
end

local function withoutLease(member)
  local head, name, digits, rest = split(member)
  if not head then return member end
  return head .. name .. digits .. rest
end
`;

/**
 * The native members: a reserved one carries its lease, so that a stale lease finds nothing. think-queue 3 keeps the
 * field, which it does not know.
 */
export const leased: Dialect = {
  members,
  released: 'withoutLease',
  unspent: `
local function unspent(member)
  local head, name, digits, rest = split(member)
  if not head then return member end
  return head .. name .. string.format('%d', math.max(0, tonumber(digits) - 1)) .. rest
end
`,
  thrown: `
local function thrown(member)
  local head, name, digits, rest = split(member)
  if not head then return member end
  local count = tonumber(string.match(name, '^"drover:exceptions"%s*:%s*(%d+)') or '0') + 1
  local own = string.match(name, '"attempts"%s*:%s*$')
  return head .. string.format('"drover:exceptions":%d,', count) .. own .. digits .. rest
end
`,
  take: "local was = redis.call('ZREM', queue.reserved, member)",
  leaseEnd: (seconds) => `score(${seconds})`,
  hold: `local function hold(queue, number, members)
  local size, ends, began = #reserved, score(time + leaseMs / 1000), string.format('%014x', time * 1000000)
  local added, aside = {}, {}
  for place, member in ipairs(members) do
    local token = began .. string.format('%04x', (size / 4) % 65536) .. random
    local head, name, digits, rest = split(member)
    local body = ''
    if not head then
      -- Nobody patches what is not understood: it is kept aside, and a member that points to it moves on.
      body = member
      aside[#aside + 1] = token
      aside[#aside + 1] = member
      head, name, digits, rest = '{"drover":"' .. token .. '","id":"' .. token .. '",', '"attempts":', '0', '}'
    else
      local key = bodyKey(member)
      if key then body = redis.call('HGET', queue.bodies, key) or '' end
    end
    local attempts = digits == '0' and '1' or string.format('%d', tonumber(digits) + 1)
    local held = head .. '"lease":"' .. token .. '",' .. name .. attempts .. rest
    added[place * 2 - 1], added[place * 2] = ends, held
    reserved[size + 1], reserved[size + 2], reserved[size + 3], reserved[size + 4] = number, token, held, body
    size = size + 4
  end
  redis.call('LPOP', queue.list, #members)
  if #aside > 0 then redis.call('HSET', queue.bodies, unpack(aside)) end
  redis.call('ZADD', queue.reserved, unpack(added))
end`,
  twin: `-- Two jobs of the same bytes stay two: the second keeps its old lease, which holds nothing any more.
    if spare and redis.call('ZSCORE', lane.delayed, member) then member = spare end`,
  pushesPlainly: true,
};

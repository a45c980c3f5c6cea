import { asPushedFunctions, leaseFunctions } from './lease-functions.js';

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
  /** Name of a function of `members` that does the same for a lease of `queue` and answers 1 or 0: it need not read the member. */
  readonly drop: string;
  /** Behind `take`: the job that it took off is reserved again, until `seconds`. */
  holdAgain(seconds: string): string;
  /**
   * The function `hold(queue, members)`: moves the jobs that stand first in the list to the reserved ones, with tokens
   * made of `began`, their place from `count` on and `random`. Answers the sizes of the texts by which they are settled,
   * each followed by that of a body kept beside it, below 0, where there is one; and those texts and bodies.
   */
  readonly hold: string;
  /** With `lane`, `member`, `spare`: keeps two jobs apart that have the same bytes and shall both be delayed. */
  readonly twin: string;
  /** What follows a script whose body is the function `work`. */
  readonly afterwards?: string;
  /** True where a push may put members into the list without any of this. */
  readonly pushesPlainly: boolean;
}

const members = `${asPushedFunctions}
-- Takes the tail of a member apart: what stands before, '"attempts":' (with our count of errors before it, where
-- there is one), the number, the rest. Nil where it has not this form, and then nobody may patch it. A lease of ours
-- is left out.
local function split(member)
  if string.byte(member) ~= 123 then return nil end
  if isAsPushed(member) then return string.sub(member, 1, -14), '"attempts":', '0', '}' end
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

-- Of a reserved member. One that says 0 is a long one, whose attempt stands nowhere else yet.
local function withoutLease(member)
  local head, name, digits, rest = split(member)
  if not head then return member end
  return head .. name .. (digits == '0' and '1' or digits) .. rest
end
${leaseFunctions}`;

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
  take: 'local was, token\n  was, member, token = take(queue, member)',
  drop: 'drop',
  holdAgain: (seconds) => `holdAgain(queue, token, member, ${seconds})`,
  hold: `-- What was not just pushed. Nobody patches what is not understood: it is kept aside, and a member that points to
-- it moves on.
local function heldOtherwise(queue, member, token, aside)
  local head, name, digits, rest = split(member)
  local body
  if head then
    local key = bodyKey(member)
    body = key and redis.call('HGET', queue.bodies, key) or nil
  else
    body = member
    aside[#aside + 1] = token
    aside[#aside + 1] = member
    head, name, digits, rest = '{"drover":"' .. token .. '","id":"' .. token .. '",', '"attempts":', '0', '}'
  end
  return head .. '"lease":"' .. token .. '",' .. name .. string.format('%d', tonumber(digits) + 1) .. rest, body
end

local ends, rest, tail = score(leaseEnd(time + leaseMs / 1000)), random .. '","attempts":1}', ',"attempts":0}'
local function hold(queue, members)
  local added, aside, sizes, texts = {}, {}, {}, {}
  local sub, byte, find, format = string.sub, string.byte, string.find, string.format
  for place, member in ipairs(members) do
    local token, held = began .. format('%04x', (count + place - 1) % 65536)
    local brace, _, first = byte(member, 1, 3)
    local body
    if
      find(member, tail, -14, true) and brace == 123 and first ~= 100 and not find(member, '"lease":"', -56, true)
    then
      held = sub(member, 1, -14) .. '"lease":"' .. token .. rest
    else
      held, body = heldOtherwise(queue, member, token .. random, aside)
    end
    added[place * 2 - 1], added[place * 2] = ends, held
    sizes[#sizes + 1], texts[#texts + 1] = #held, held
    if body and body ~= '' then sizes[#sizes + 1], texts[#texts + 1] = -#body, body end
  end
  redis.call('LTRIM', queue.list, #members, -1) -- an LPOP would answer them all again
  if #aside > 0 then redis.call('HSET', queue.bodies, unpack(aside)) end
  redis.call('ZADD', queue.reserved, unpack(added))
  return sizes, texts
end`,
  twin: `-- Two jobs of the same bytes stay two: the second keeps its old lease, which holds nothing any more.
    if spare and redis.call('ZSCORE', lane.delayed, member) then member = spare end`,
  pushesPlainly: true,
};

import { plainScript } from './script.js';
import type { Command } from './transaction.js';

/** What one command carries at most. The server reads it while the client makes the next. */
const mostMembers = 250;
const mostCharacters = 100_000;

/** From so many characters on the members go faster by a transaction, whose four commands cost some microseconds. */
const fewestCharacters = 8000;

/** What a push looks at, and what it adds to. */
interface Place {
  readonly list: string;
  readonly delayed: string;
  readonly mark: string;
}

/**
 * Comes behind the members that the same transaction has put into the list, and takes them back where they must not be there:
 * where the push was settled by a repeat, or has to queue behind delayed jobs that are due by now. Nobody has seen them. They
 * are the last of the list in any transaction; if it was none, as the right to it has just gone, others may stand there.
 *
 * KEYS: the list, the delayed jobs, the mark of this push. ARGV: how many there are, how the first and the last of them
 * end. Answers 1, or 0 where they must queue.
 */
const takeBackScript = plainScript(`
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then return 1 end
local answer = 1
if redis.call('EXISTS', KEYS[3]) == 0 then
  local first = redis.pcall('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  local time = redis.call('TIME')
  if not first.err and tonumber(first[2]) > time[1] + time[2] / 1000000 then return 1 end
  answer = first.err and first or 0
end
local function stands(place, ending)
  local member = redis.call('LRANGE', KEYS[1], place, place)[1]
  return member and string.sub(member, -#ending) == ending
end
if stands(-ARGV[1], ARGV[2]) and stands(-1, ARGV[3]) then redis.call('LTRIM', KEYS[1], 0, -1 - ARGV[1]) end
return answer
`);

/** Whether members are better pushed by a transaction than by a script, to which the server hashes each byte. */
export function suitsTransaction(members: readonly string[]): boolean {
  let characters = 0;
  for (const { length } of members) {
    characters += length;
    if (characters >= fewestCharacters) return true;
  }
  return false;
}

/** Puts members into the list. Answers 1, or 0 where nothing was stored: they must queue behind delayed jobs. */
export function* pushParts(
  { list, delayed, mark }: Place,
  members: readonly string[],
): Generator<readonly Command[]> {
  let from = 0;
  let to = endOfPart(members, from);
  while (to < members.length) {
    yield [['rpush', list, ...members.slice(from, to)]];
    from = to;
    to = endOfPart(members, from);
  }
  const ends = [members[0], members.at(-1)].map((member = '') => member.slice(member.lastIndexOf(idField)));
  yield [
    ['rpush', list, ...members.slice(from)],
    ['eval', takeBackScript.lua, 3, list, delayed, mark, members.length, ...ends],
  ];
}

/** What a push by transaction needs the rights to, in a form that changes nothing. */
export function harmlessCommands({ list, delayed, mark }: Place): readonly Command[] {
  return [
    ['exists', mark],
    ['time'],
    ['zrange', delayed, 0, 0],
    ['lrange', list, -1, -1],
    ['ltrim', mark, 0, -1], // it is not there
    ['eval', 'return 1', 0],
  ];
}

/** What a member ends with tells it from others. */
const idField = ',"id":"';

function endOfPart(members: readonly string[], from: number): number {
  const most = Math.min(members.length, from + mostMembers);
  let characters = 0;
  for (let at = from; at < most; at++) {
    characters += (members[at] as string).length;
    if (characters > mostCharacters && at > from) return at;
  }
  return most;
}

import type { LiveJob, LiveState, Peek } from '../../src/index.js';
import type { Commands } from './commands.js';
import type { Keys } from './keys.js';
import { asPushedFunctions } from './lease-functions.js';
import { findInPages, peekPages } from './pages.js';
import { plainScript } from './script.js';
import type { MemberCodec } from './wire.js';

/**
 * KEYS: a queue. ARGV: the state, how many to pass over, how many to look at. Answers, for each job, its member, the body
 * that is kept beside it or '', the score that it has or '', and 1 where it is held or was. Such a member has its lease, also
 * where it stands as it was pushed.
 *
 * Ready are those in the list, then those whose delay is over and those whose lease has lapsed, which no reserve has
 * moved there yet.
 */
const peekScript = plainScript(`
local list, delayed, reserved, bodies, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[5], KEYS[8]
local skip, left = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = string.format('%.17g', tonumber(time[1]) + tonumber(time[2]) / 1000000)
local found = {}

${asPushedFunctions}
local function ofReserved(member, score)
  local token = isAsPushed(member) and redis.call('ZRANGEBYSCORE', leases, score, score)[1]
  return token and withLease(member, token) or member
end

local function add(member, score, isHeld)
  local key = string.match(string.sub(member, 1, 60), '^{"drover":"(%x+)","id":')
  local size = #found
  found[size + 1], found[size + 2] = member, key and redis.call('HGET', bodies, key) or ''
  found[size + 3], found[size + 4] = score, isHeld
  left = left - 1
end

local function addScored(key, from, to, isHeld)
  if left <= 0 then return end
  local members = redis.call('ZRANGEBYSCORE', key, from, to, 'WITHSCORES', 'LIMIT', skip, left)
  for at = 1, #members, 2 do
    local member, score = members[at], members[at + 1]
    add(isHeld == 1 and ofReserved(member, score) or member, score, isHeld)
  end
  skip = math.max(0, skip - redis.call('ZCOUNT', key, from, to))
end

if ARGV[1] == 'ready' then
  for _, member in ipairs(redis.call('LRANGE', list, skip, skip + left - 1)) do add(member, '', 0) end
  skip = math.max(0, skip - redis.call('LLEN', list))
  addScored(delayed, '-inf', now, 0)
  addScored(reserved, '-inf', now, 1)
elseif ARGV[1] == 'delayed' then
  addScored(delayed, '(' .. now, '+inf', 0)
else
  addScored(reserved, '(' .. now, '+inf', 1)
end
return found
`);

/** Looks at the jobs of a queue. Changes nothing. */
export class RedisPeek {
  readonly #session: Commands;
  readonly #keys: Keys;
  readonly #members: MemberCodec;

  constructor(session: Commands, keys: Keys, members: MemberCodec) {
    this.#session = session;
    this.#keys = keys;
    this.#members = members;
  }

  peek(queue: string, options: Peek): Promise<LiveJob[]> {
    return peekPages((...page) => this.#page(queue, ...page), options);
  }

  /** Reads the queue until it finds the job: only the ids that callers chose are known apart from the members. */
  find(queue: string, id: string): Promise<LiveJob | null> {
    return findInPages((...page) => this.#page(queue, ...page), id);
  }

  async #page(queue: string, state: LiveState, offset: number, limit: number): Promise<LiveJob[]> {
    const keys = this.#keys.ofQueue(queue);
    const reply = await this.#session.script<(Buffer | number)[]>(peekScript, keys, [state, offset, limit]);
    const jobs: LiveJob[] = [];
    for (let at = 0; at < reply.length; at += 4) {
      const [member, kept, score, isHeld] = reply.slice(at, at + 4) as [Buffer, Buffer, Buffer, number];
      const scoreMs = score.length === 0 ? null : Math.round(Number(score) * 1000);
      const { reserved, waiting } = this.#members;
      const read = (isHeld === 1 ? reserved : waiting)(member, kept);
      jobs.push(liveJob(queue, state, { ...read, member, scoreMs }));
    }
    return jobs;
  }
}

function liveJob(
  queue: string,
  state: LiveState,
  about: {
    readonly id: string | null;
    readonly body: string;
    readonly attempts: number;
    readonly exceptions?: number;
    readonly member: Buffer;
    readonly scoreMs: number | null;
  },
): LiveJob {
  const { id, body, attempts, exceptions = 0, member, scoreMs } = about;
  const isReserved = state === 'reserved';
  return {
    id,
    queue,
    state,
    body,
    attempts,
    exceptions,
    createdAtMs: null,
    dueAtMs: isReserved ? null : scoreMs,
    reservedAtMs: isReserved ? takenAtMs(member) : null,
    leaseEndsAtMs: isReserved ? scoreMs : null,
  };
}

/** The lease's token begins with the time of the reserve in µs. */
function takenAtMs(member: Buffer): number | null {
  const [, us] = /"lease":"([0-9a-f]{14})[0-9a-f]{18}",/.exec(member.toString('latin1').slice(-200)) ?? [];
  return us === undefined ? null : Math.floor(Number.parseInt(us, 16) / 1000);
}

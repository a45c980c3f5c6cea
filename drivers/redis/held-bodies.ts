import type { ReservedJob } from '../../src/index.js';
import type { RedisParts } from './connector.js';
import { leased } from './dialect.js';
import { QueuePlaces } from './keys.js';
import { memberOf, readMember, textOf } from './member.js';
import { scriptsIn } from './script.js';

/**
 * KEYS: queues. ARGV: two per job: the place of its queue in KEYS, what settles it. Answers two for each: its member, or ''
 * where the lease was lost, and the body that is kept beside it, or ''.
 */
const bodiesScript = scriptsIn(leased)(`
local found = {}
for at = 1, #ARGV, 2 do
  local queue, member = lane(ARGV[at]), ARGV[at + 1]
  if string.byte(member) ~= 123 then
    local token = member
    member = memberOf(queue, token)
    member = member and withLease(member, token)
  elseif not redis.call('ZSCORE', queue.reserved, member) then member = nil end
  local key = member and bodyKey(member)
  found[at], found[at + 1] = member or '', key and redis.call('HGET', queue.bodies, key) or ''
end
return found
`);

/** The contract's `bodiesOf`, where members carry their leases. Changes nothing. */
export async function heldBodies(
  { session, keys }: Pick<RedisParts, 'session' | 'keys'>,
  jobs: readonly ReservedJob[],
): Promise<(string | undefined)[]> {
  const places = new QueuePlaces(keys);
  const args = jobs.flatMap(({ lease: { queue, handle } }) => [places.placeOf(queue), memberOf(handle)]);
  const found = await session.script<Buffer[]>(bodiesScript, places.keys, args);
  return jobs.map((_, index) => {
    const [member, kept] = found.slice(index * 2, index * 2 + 2) as [Buffer, Buffer];
    return member.length === 0 ? undefined : readMember(textOf(member), kept).body;
  });
}

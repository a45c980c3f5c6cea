import { laravelFormat } from './laravel-format.js';
import { plainDialect } from './plain-dialect.js';
import { plainMembers } from './plain-members.js';
import { think1Format } from './think-1-format.js';
import { makeWire, type RedisWire, think3, type WireParts } from './wire.js';

/** With whom a connection shares its queues. */
export type RedisWireName = 'think-3' | 'think-1' | 'laravel';

const shared: Pick<WireParts, 'listOf' | 'holdsIds'> = {
  listOf: (queue) => `queues:${queue}`,
  // Who else takes the jobs would free no ids: one that was used would be lost for good.
  holdsIds: false,
};

/** think-queue 1 and 2: `attempts` of a new job is 1, and counts when it is released or its lease lapses. */
const think1 = makeWire({
  ...shared,
  name: 'think-1',
  dialect: plainDialect({ first: 1, onReserve: false }, false),
  members: plainMembers(1, false),
  format: think1Format,
});

/** Laravel 10 to 13: `attempts` of a new job is 0, and counts when it is taken. */
const laravel = makeWire({
  ...shared,
  name: 'laravel',
  dialect: plainDialect({ first: 0, onReserve: true }, true),
  members: plainMembers(0, true),
  format: laravelFormat(),
});

/** All that there are. */
export const wires: readonly (RedisWire & { readonly name: string })[] = [think3, think1, laravel];

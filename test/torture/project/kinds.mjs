import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Two numbers below 1 that belong to an id: the same in every process and on every attempt. */
function fractionsOf(id) {
  const digest = createHash('sha256').update(id).digest();
  return [digest.readUInt32BE(0) / 2 ** 32, digest.readUInt32BE(4) / 2 ** 32];
}

/** A kind of job for an id, of kinds by their weights. */
export function kindOf(id, weights) {
  const all = Object.entries(weights);
  let left = fractionsOf(id)[0] * all.reduce((sum, [, weight]) => sum + weight, 0);
  return all.find(([, weight]) => {
    left -= weight;
    return left < 0;
  })?.[0];
}

/** Deadly jobs get well at their third attempt, but for one in ten, and for those that are to fail. */
function isWell(id, kind, attempt) {
  return kind !== 'fails' && attempt >= 3 && fractionsOf(id)[1] >= 0.1;
}

const spin = (ms) => {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
};

const thrown = [
  () => new Error('an error'),
  () => 'a string',
  () => undefined,
  () => null,
  () => ({
    get message() {
      throw new Error('a getter that throws');
    },
  }),
];

/** What jobs of each kind do: `deadly` ones until they are well. */
const kinds = {
  quick: ({ luck, signal }) => sleep(luck * 20, undefined, { signal }),
  slow: ({ luck, signal }) => sleep(50 + luck * 150, undefined, { signal }),
  busy: ({ luck }) => spin(luck * 150),
  long: ({ leaseMs, signal }) => sleep(1.7 * leaseMs, undefined, { signal }),
};
const deadly = {
  throws: ({ luck, threw }) => {
    const which = Math.floor(luck * thrown.length);
    threw(which);
    throw thrown[which]();
  },
  // A process that is stopped in the first attempt settles it as soon as it goes on, while a later one is under way.
  late: async ({ leaseMs, threw, signal, attempt }) => {
    if (attempt === 1) spin(leaseMs / 20);
    else await sleep(0.6 * leaseMs, undefined, { signal });
    threw(0);
    throw new Error('a late error');
  },
  fails: ({ luck, threw }) => deadly.throws({ luck, threw }),
  releases: ({ release }) => release(1),
  blocks: ({ timeoutMs }) => spin(2 * timeoutMs + 10_000),
  exits: ({ luck }) => process.exit([0, 1, 7][Math.floor(luck * 3)]),
  swells: () => {
    const all = [];
    for (;;) all.push(new Array(100_000).fill(all.length));
  },
  never: () => new Promise(() => {}),
};

/** There while the rest is worked off: all do what quick ones do. */
const calm = new URL('calm', import.meta.url);

/** Does what jobs of an id's kind do. */
export async function run(kind, id, attempt, means) {
  const luck = fractionsOf(id)[1];
  if (kind !== 'quick' && existsSync(calm)) return kinds.quick({ ...means, luck });
  if (kind in deadly && !isWell(id, kind, attempt)) return deadly[kind]({ ...means, luck, attempt });
  return (kinds[kind] ?? kinds.quick)({ ...means, luck });
}

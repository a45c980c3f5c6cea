import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from 'drover/config';
import { kindOf } from './kinds.mjs';
import { hashOf, nowMs, settings, write } from './ledger.mjs';

/** `node producer.mjs <name> <jobs a second> <seconds> <queue>...`; one queue alone is pushed to in order. */
const [, , name, rate, seconds, ...queues] = process.argv;
const isInOrder = queues[0] === 'line';
const isBare = queues[0] === 'bare';
const { weights, bareWeights, leaseMs, delayedShare, burst, seed } = settings;
const queue = await openQueue({ env: {} });
/** There while more is pushed than can be worked. */
const hold = new URL('hold', import.meta.url);
/** In that time all that falls due at one moment has to be pushed. */
const dueInMs = 4000;
const strange = 'NUL \u0000, 9007199254740993, [] {} \u{1f98a} __proto__ </script> \u202e';
const sizes = [
  [0.9, 200],
  [0.99, 20_000],
  [1, 900_000],
];

let state = [...`${seed}${name}`].reduce((sum, one) => (sum * 31 + one.charCodeAt(0)) >>> 0, 7);
/** Mulberry32: the same numbers for the same seed. */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

let count = 0;
function newJob(isSmall = false) {
  const id = `${name}-${count++}`;
  const kind = isInOrder ? 'quick' : kindOf(id, isBare ? bareWeights : weights);
  const luck = random();
  const bytes = isInOrder || isSmall ? 200 : sizes.find(([share]) => luck < share)[1];
  const data = { id, kind, strange, nested: [[], {}, null, -0.5, ''], filler: 'x'.repeat(bytes) };
  const to = queues[Math.floor(random() * queues.length)];
  const delayMs = !isInOrder && random() < delayedShare ? 200 + Math.floor(random() * leaseMs) : 0;
  const options = { id, queue: to, ...(delayMs > 0 && { delay: `${delayMs}ms` }) };
  // Long ones have a timeout that outlasts their lease, which is made longer before they start.
  if (kind === 'long') options.timeout = `${2 * leaseMs}ms`;
  if (kind === 'late') options.timeout = `${0.75 * leaseMs}ms`;
  return { data, options, about: { id, queue: to, hash: hashOf(data), ...(delayMs > 0 && { delayMs }) } };
}

/** The same id again until the store has answered, a few times at most. */
async function push({ data, options, about }) {
  for (let tries = 1; tries <= 3; tries++) {
    write({ ev: 'intent', ...about });
    try {
      await queue.push('torture', data, options);
      write({ ev: 'ok', id: about.id });
      return;
    } catch (error) {
      write({
        ev: 'err',
        id: about.id,
        code: error.code ?? String(error),
        ambiguous: error.ambiguous === true,
      });
      await sleep(200 * tries);
    }
  }
}

/** As many jobs as fall due at one moment, pushed at once. */
async function pushBurst() {
  const jobs = Array.from({ length: burst }, () => newJob(true));
  const at = new Date(Date.now() + dueInMs);
  for (let from = 0; from < jobs.length; from += 500) {
    await Promise.all(
      jobs.slice(from, from + 500).map(async ({ data, options, about }) => {
        const { id, queue: to, timeout } = options;
        // In this order: a pause between the two clocks must not have the job look early.
        write({ ev: 'intent', ...about, t: nowMs(), delayMs: Math.max(0, at.getTime() - Date.now()) });
        try {
          await queue.push('torture', data, { id, queue: to, at, ...(timeout && { timeout }) });
          write({ ev: 'ok', id });
        } catch (error) {
          write({ ev: 'err', id, code: error.code ?? String(error) });
        }
      }),
    );
  }
}

const endMs = performance.now() + Number(seconds) * 1000;
const pending = new Set();
if (burst > 0 && !isInOrder && name === 'p0') await pushBurst();
for (let dueMs = performance.now(); dueMs < endMs; dueMs += 1000 / Number(rate)) {
  await sleep(Math.max(0, dueMs - performance.now()));
  while (!isInOrder && existsSync(hold) && performance.now() < endMs) await sleep(200);
  dueMs = Math.max(dueMs, performance.now() - 1000); // what an outage held up is not made up for
  const pushing = push(newJob());
  pending.add(pushing);
  void pushing.finally(() => pending.delete(pushing));
  if (isInOrder) await pushing;
  else if (pending.size >= 20) await Promise.race(pending);
}
await Promise.all(pending);
await queue.close();

import { readFileSync } from 'node:fs';

/** Loaded first into a worker whose clock jumps: by as many ms as the file `clock` says at that moment. */
const file = new URL('clock', import.meta.url);
const real = Date.now;
const restMs = 20;

let aheadMs = 0;
let readMs = Number.NEGATIVE_INFINITY;

function now() {
  if (performance.now() - readMs > restMs) {
    readMs = performance.now();
    aheadMs = Number(readFileSync(file, 'utf8'));
  }
  return real() + aheadMs;
}

globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length > 0 ? given : [now()], made),
  apply: (target) => new target(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});

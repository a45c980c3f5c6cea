import { afterAll, beforeAll, describe } from 'vitest';
import { type RedisWireName, redis } from '../../drivers/redis/index.js';
import { silentLogger, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { runConformance } from '../support/run-conformance.js';
import { inPayloads } from '../support/wire-payloads.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

/** The mark of a lease is in the last bits of its score: only whole seconds leave them as they are. */
const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000) * 1000;

function factoryOf(wire: RedisWireName, first: number): HarnessFactory {
  return {
    async open() {
      await server.client.flushall();
      const context = {
        connection: 'redis',
        clock: systemClock,
        logger: silentLogger,
        runInline: async () => {},
      };
      const driver = redis({ url: server.url, wire });
      const connector = inPayloads(driver.connect(context), first);
      const other = inPayloads(driver.connect(context), first);
      return {
        connector,
        other,
        now: () => server.now(),
        advance: (ms) => server.advance(wholeSeconds(ms)),
        close: async () => {
          await Promise.all([connector.close(), other.close()]);
        },
      };
    },
  };
}

/** What is not about a queue's jobs is the same for all wires; so are sizes of batches. */
const ofJobs = /^(?!workers|signals|statistics|history|failed store|diagnose|order: 20,000)/;

const why = 'these wires hold no chosen ids apart, and the core refuses such a push';
const withoutIds = Object.fromEntries(
  [
    'push: repeated in full, nothing is stored twice',
    'push: new jobs are stored beside those already there',
    'push: an id is already there while its job is ready',
    'push: an id is already there while its job is delayed',
    'push: an id is already there while its job is reserved',
    'push: an id is already there while its job has a lapsed lease',
    'retry: answers per uuid',
    'retry: a live job of that id keeps the record, whatever its state',
    'concurrency: overlapping pushes of one id store one job',
  ].map((name) => [name, why]),
);

describe.each([
  ['think-1', 1],
  ['laravel', 0],
] as const)('%s', (wire, first) => {
  runConformance(factoryOf(wire, first), ['migrate', 'longestWaitMs', 'releaseThrown'], ofJobs, withoutIds);
});

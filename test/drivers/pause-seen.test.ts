import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { database } from '../../drivers/database/index.js';
import { createQueue, type Driver, defineJob, pausedKey, type SignalStore } from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { SqliteSandbox } from '../support/sqlite.js';

const files = new SqliteSandbox();
const mariadb = new ServerSandbox('mariadb');
const postgres = new ServerSandbox('postgres');
beforeAll(async () => {
  await Promise.all([mariadb.make(), postgres.make()]);
});
afterAll(async () => {
  await Promise.all([files.clean(), mariadb.clean(), postgres.clean()]);
});

/** Tells each reading of what is paused to `onRead` as well. */
function observed(driver: Driver, onRead: () => void): Driver {
  const observe = (signals: SignalStore): SignalStore['watch'] => {
    const watch = signals.watch?.bind(signals);
    return (
      watch &&
      ((key, tell) =>
        watch(key, (value) => {
          if (key === pausedKey) onRead();
          tell(value);
        }))
    );
  };
  return {
    ...driver,
    connect: (context) => {
      const connector = driver.connect(context);
      if (connector.signals) Object.assign(connector.signals, { watch: observe(connector.signals) });
      return connector;
    },
  };
}

/** After work, and at its start, a worker that cannot be woken looks more often for a while. */
const settledMs = 2500;
const enough = 7;

describe.concurrent.each([
  ['sqlite', () => `sqlite:${files.newFile()}`],
  ['mariadb', () => mariadb.url],
  ['postgres', () => postgres.url],
] as const)('on %s', (name, url) => {
  test.each(['idle', 'busy'] as const)(
    'a worker that is %s reads each second what is paused',
    async (state) => {
      const began = deferred();
      const goOn = deferred();
      const hold = defineJob({
        name: 'hold',
        async handle() {
          began.resolve();
          await goOn.promise;
        },
      });
      const readAtMs: number[] = [];
      const hasRead = deferred();
      const fromMs = performance.now() + settledMs;
      const driver = observed(database(url()), () => {
        if (performance.now() < fromMs) return;
        if (readAtMs.push(performance.now()) === enough) hasRead.resolve();
      });
      const queue = createQueue({ connections: { default: driver }, jobs: [hold] });
      const worker = queue.worker({ queues: [state] });
      const halted = new Promise<void>((resolve) => worker.onHalt(() => resolve()));
      const stop = new AbortController();
      if (state === 'busy') await queue.push(hold, undefined, { queue: state });
      const running = worker.run(stop.signal);
      if (state === 'busy') await began.promise;
      await hasRead.promise;
      const distances = readAtMs.slice(1).map((atMs, index) => atMs - (readAtMs[index] ?? 0));
      const medianMs = distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)] ?? Number.NaN;
      console.log(`${name}, ${state}: reads are ${Math.round(medianMs)} ms apart`);
      // A tenth of a second for the statement and a slow machine; it may be more now and then.
      expect(medianMs).toBeLessThan(1200);
      await queue.pause(state);
      const before = readAtMs.length;
      await halted;
      // One may have been under way.
      expect(readAtMs.length - before).toBeLessThanOrEqual(2);
      expect(worker.halt).toEqual({ paused: [state], maintenance: false });
      goOn.resolve();
      stop.abort();
      await running;
      await queue.close();
    },
  );
});

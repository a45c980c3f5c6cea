import { describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { sync } from '../../drivers/sync/index.js';
import { createQueue, isRestartAsked, restartKey, type SignalStore, signalRestart } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';

function signalStore(value: string | null): SignalStore & { value: string | null } {
  return {
    value,
    async read() {
      return this.value;
    },
    async write(key, written) {
      expect(key).toBe(restartKey);
      this.value = written;
    },
  };
}

describe('a restart is asked for', () => {
  test.each<[string | null, string | null, boolean]>([
    [null, null, false],
    ['100', '100', false],
    [null, '100', true],
    ['100', '101', true],
    // A clock that went back is no reason to miss a signal.
    ['100', '99', true],
    // A flushed store asks for nothing.
    ['100', null, false],
  ])('%j at the start, %j now: %s', (atStart, current, asked) => {
    expect(isRestartAsked(atStart, current)).toBe(asked);
  });
});

describe('asking for a restart', () => {
  test.each<[string, string | null, string]>([
    ['writes the time in seconds', null, '1700000000'],
    ['replaces an older signal', '1699999999', '1700000000'],
    ['replaces what is no time', 'yes', '1700000000'],
    ['writes the next second after one of this second', '1700000000', '1700000001'],
    ['goes on from one in the future', '1800000000', '1800000001'],
  ])('%s', async (_, previous, written) => {
    const store = signalStore(previous);
    expect(await signalRestart(store, 1_700_000_000_999)).toBe(written);
    expect(store.value).toBe(written);
    expect(isRestartAsked(previous, store.value)).toBe(true);
  });

  test('goes to the connection that the queue object works on', async () => {
    const [one, two] = [faulty(memory()), faulty(memory())];
    const queue = createQueue({ default: 'one', connections: { one, two } });
    await queue.connection('two').restartWorkers();
    expect(await one.store.signals?.read(restartKey)).toBeNull();
    expect(Number(await two.store.signals?.read(restartKey))).toBeGreaterThan(1_600_000_000);
  });

  test('is refused where the store carries no signal', async () => {
    const queue = createQueue({ connections: { default: sync() } });
    await expect(queue.restartWorkers()).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
      message: expect.stringContaining('default'),
    });
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Client } from '../../drivers/redis/client.js';
import { Vigil } from '../../drivers/redis/vigil.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const reconnect = vi.fn();
const client = { reconnect } as unknown as Client;
afterEach(() => reconnect.mockReset());

test('a client connects anew once what it waits for is overdue', async () => {
  const vigil = new Vigil(1000);
  vigil.begin(client);
  await vi.advanceTimersByTimeAsync(990);
  expect(reconnect).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect(reconnect).toHaveBeenCalledTimes(1);
});

test('what is answered is not overdue, and each wait has its whole time', async () => {
  const vigil = new Vigil(1000);
  vigil.begin(client);
  await vi.advanceTimersByTimeAsync(900);
  vigil.end();
  vigil.begin(client);
  await vi.advanceTimersByTimeAsync(990);
  expect(reconnect).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect(reconnect).toHaveBeenCalledTimes(1);
  vigil.begin(client);
  vigil.end();
  await vi.advanceTimersByTimeAsync(5000);
  expect(reconnect).toHaveBeenCalledTimes(1);
});

test('no timer is left of one that was stopped', () => {
  const vigil = new Vigil(1000);
  vigil.begin(client);
  vigil.stop();
  expect(vi.getTimerCount()).toBe(0);
});

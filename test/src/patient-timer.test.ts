import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { PatientTimer } from '../../src/index.js';

/** Blocks the event loop for so long, or until `flag` is no longer 0. */
const block = (ms: number, flag = new Int32Array(new SharedArrayBuffer(4))) =>
  void Atomics.wait(flag, 0, 0, ms);

test('calls back once its time is over', async () => {
  const begunMs = performance.now();
  await new Promise<void>((resolve) => new PatientTimer(20, resolve));
  expect(performance.now() - begunMs).toBeGreaterThanOrEqual(19);
});

test('what came while the event loop was blocked is read first', async () => {
  const source = `
    require('node:worker_threads').parentPort.on('message', ({ port, sent }) => {
      port.postMessage('news');
      Atomics.store(sent, 0, 1);
      Atomics.notify(sent, 0);
    })`;
  const worker = new Worker(source, { eval: true });
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const seen: string[] = [];
  const heard = once(port1, 'message').then(([news]) => seen.push(news));
  await once(worker, 'online');
  const over = new Promise<void>((resolve) => {
    new PatientTimer(100, () => {
      seen.push('over');
      resolve();
    });
  });
  worker.postMessage({ port: port2, sent }, [port2]);
  block(20_000, sent);
  block(150); // the time is over in any case
  await Promise.all([heard, over]);
  expect(seen).toEqual(['news', 'over']);
  port1.close();
  await worker.terminate();
});

test('one that is cleared does not call back, also in the time that it gives again', async () => {
  const calls: number[] = [];
  const timer = new PatientTimer(50, () => calls.push(1));
  block(150);
  await new Promise((resolve) => setTimeout(resolve, 1)); // by now it runs for the second time
  timer.clear();
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(calls).toEqual([]);
});

import { expect, test } from 'vitest';
import { WaitingBeats } from '../../src/index.js';

test('beats that no trip took go one after the other, but for those dropped meanwhile', async () => {
  const sent: string[] = [];
  await new Promise<void>((tidied, refused) => {
    const waiting = new WaitingBeats({
      async send({ id, about }) {
        sent.push(`${id} ${about}`);
        waiting.drop('leaving');
      },
      tidy: async () => tidied(),
      onError: refused,
    });
    waiting.add(beat('taken', 'old'));
    expect(waiting.take()).toEqual([beat('taken', 'old')]);
    expect(waiting.take()).toEqual([]);
    waiting.add(beat('staying', 'old'));
    waiting.add(beat('staying', 'new'));
    waiting.add(beat('leaving', 'new'));
  });
  expect(sent).toEqual(['staying new']);
});

test('what a beat fails with is told, and those behind it still wait', async () => {
  const away = new Error('away');
  let waiting: WaitingBeats | undefined;
  const told = await new Promise((onError) => {
    waiting = new WaitingBeats({ send: () => Promise.reject(away), onError });
    waiting.add(beat('first', ''));
    waiting.add(beat('second', ''));
  });
  expect(told).toBe(away);
  expect(waiting?.take()).toEqual([beat('second', '')]);
});

function beat(id: string, about: string) {
  return { id, about, keepMs: 10_000 };
}

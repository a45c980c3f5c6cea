import { expect, test } from 'vitest';
import { mostNames, others, Tallies, Tally } from '../../src/tally.js';

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'mail.send'];

test('a tally comes back from its text', () => {
  const tally = new Tally();
  tally.counts.pushed = 3;
  tally.counts.timedOut = 1;
  tally.run.record(12);
  tally.wait.record(0);
  const read = Tally.fromText(tally.toText());
  expect(read?.counts).toEqual(tally.counts);
  expect(read?.run.summary()).toEqual(tally.run.summary());
  expect(read?.wait.summary()).toEqual(tally.wait.summary());
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{"v":2}',
  '{"v":1,"counts":[1],"run":[0,0],"wait":[0,0]}',
  '{"v":1,"counts":[1,1,1,1,-1],"run":[0,0],"wait":[0,0]}',
  '{"v":1,"counts":[1,1,1,1,1],"run":[0,0]}',
])('what another version or somebody else wrote is not read: %s', (text) => {
  expect(Tally.fromText(text)).toBeUndefined();
});

test('names of the language are names like others', () => {
  const tallies = new Tallies();
  for (const [index, name] of names.entries()) {
    tallies.get(60_000, name, name).counts.done += index + 1;
  }
  expect([...tallies].map(([{ queue, name }, { counts }]) => [queue, name, counts.done])).toEqual(
    names.map((name, index) => [name, name, index + 1]),
  );
  expect(({} as Record<string, unknown>).counts).toBeUndefined();
});

test('names beyond a bound are counted together, and those that have a place keep it', () => {
  const earlier = new Tallies();
  earlier.get(0, 'q', 'first').counts.done += 1;
  const tallies = new Tallies(earlier);
  for (let index = 0; index < 2000; index++) tallies.get(0, 'q', `job-${index}`).counts.done += 1;
  tallies.get(0, 'q', 'first').counts.done += 1;
  tallies.get(60_000, 'q', 'job-1999').counts.done += 1;
  const found = [...tallies].map(([place]) => place);
  expect(found.filter(({ startMs }) => startMs === 0)).toHaveLength(mostNames + 1);
  expect(tallies.find(0, others, others)?.counts.done).toBe(2000 - (mostNames - 1));
  expect(tallies.find(0, 'q', 'first')?.counts.done).toBe(1);
  expect(tallies.find(60_000, 'q', 'job-1999')?.counts.done).toBe(1);
});

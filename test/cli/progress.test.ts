import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Progress } from '../../cli/progress.js';

function sink(isTTY: boolean) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { written, stderr: Object.assign(stream, { isTTY }) };
}

test('a count is drawn at a terminal once it has taken a while, and taken away again', () => {
  const { written, stderr } = sink(true);
  let nowMs = 0;
  const progress = new Progress({ stderr }, 'looked at', () => nowMs);
  progress.step();
  nowMs = 150;
  progress.step();
  progress.hide();
  progress.hide();
  expect(written).toEqual(['\r2 looked at …', '\r\x1b[K']);
});

test('nothing is drawn elsewhere', () => {
  const { written, stderr } = sink(false);
  let nowMs = 0;
  const progress = new Progress({ stderr }, 'looked at', () => nowMs);
  nowMs = 150;
  progress.step();
  progress.hide();
  expect(written).toEqual([]);
});

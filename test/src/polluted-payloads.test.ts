import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { workOff } from '../support/recorder.js';

const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'];
const values = ['{"polluted":true}', '[]', 'null', '"x"', '{"prototype":{"polluted":true}}', '1'];

/** Payloads whose data, fields, settings or job have the names of what every object has. */
const payloads = names.flatMap((name) =>
  values.flatMap((value) => [
    `{"job":"mine","data":{"${name}":${value}},"attempts":0}`,
    `{"${name}":${value},"job":"mine","data":null,"attempts":0}`,
    `{"job":"mine","data":null,"backoff":{"${name}":${value}},"attempts":0}`,
    `{"job":"${name}","data":${value},"attempts":0}`,
  ]),
);

test('payloads with the names of what every object has run or fail, and change no object', async () => {
  const driver = faulty(memory());
  let ran = 0;
  const mine = defineJob({
    name: 'mine',
    handle: () => {
      ran += 1;
    },
  });
  const worker = { tries: 1, unknownJobPatience: 0 };
  const queue = createQueue({ connections: { default: driver }, jobs: [mine], worker });
  await queue.push(mine, null); // makes the store
  await driver.store.push(
    'default',
    payloads.map((body, index) => ({ id: `p${index}`, body })),
  );
  expect(await workOff(queue)).toBe('empty');
  const failed = await queue.failed.list({ limit: 1000 });
  expect(ran).toBeGreaterThan(names.length * values.length);
  expect(ran - 1 + failed.length).toBe(payloads.length);
  expect(failed.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['bad-payload', 'unknown-job']));
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  await queue.close();
});

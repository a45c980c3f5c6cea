import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import {
  createQueue,
  type Decoded,
  type Driver,
  defineJob,
  type Payload,
  type WireFormat,
} from '../../src/index.js';

/** A form that has nothing in common with JSON. */
const lines: WireFormat = {
  name: 'lines',
  encode: ({ job, id, data }: Payload) => `${job}\n${id}\n${JSON.stringify(data)}`,
  decode(body): Decoded {
    const [job, id, data] = body.split('\n');
    if (job === undefined || id === undefined || data === undefined) return { problem: 'too few lines' };
    return { payload: { job, id, data: JSON.parse(data), maxTries: 1, timeout: null } };
  },
};

function inLines(): Driver {
  return { ...memory(), wire: lines };
}

test('a connection with a wire format of its own pushes, lists, runs, keeps and retries jobs in it', async () => {
  const seen: unknown[] = [];
  let isBroken = true;
  const greet = defineJob({
    name: 'greet',
    tries: 1,
    handle: ({ data }) => {
      seen.push(data);
      if (isBroken) throw new Error('not yet');
    },
  });
  const queue = createQueue({
    connections: { default: inLines() },
    jobs: [greet],
  });
  const id = await queue.push('greet', { to: 'é' });
  const text = `greet\n${id}\n{"to":"é"}`;
  expect(await queue.list({ state: 'ready' })).toMatchObject([{ id, name: 'greet', payload: text }]);

  await queue.worker({ stopWhenEmpty: true }).run();
  expect(await queue.list({ state: 'failed' })).toMatchObject([{ id, name: 'greet', payload: text }]);

  isBroken = false;
  await queue.failed.retry(await queue.failed.list());
  await queue.worker({ stopWhenEmpty: true }).run();
  expect(seen).toEqual([{ to: 'é' }, { to: 'é' }]);
  await queue.close();
});

test('the limit of a payload counts the bytes of the form', async () => {
  const queue = createQueue({ connections: { default: inLines() }, maxPayloadBytes: 50 });
  await expect(queue.push('greet', 'é'.repeat(30))).rejects.toMatchObject({ code: 'E_PAYLOAD_TOO_LARGE' });
  await queue.close();
});

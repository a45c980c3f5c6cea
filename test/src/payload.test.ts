import { describe, expect, test } from 'vitest';
import { exponential } from '../../src/index.js';
import { decodeThinkQueue3, encodePayload, type Payload } from '../../src/payload.js';

const plain: Payload = { job: 'mail.send', maxTries: null, timeout: null, data: { to: 'a@b.c' }, id: 'id-1' };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const unlimited = Number.MAX_SAFE_INTEGER;

describe('the text that is stored', () => {
  test("has think-queue's keys in its order, the id and the attempts last", () => {
    expect(encodePayload(plain, unlimited)).toBe(
      '{"job":"mail.send","maxTries":null,"timeout":null,"data":{"to":"a@b.c"},"id":"id-1","attempts":0}',
    );
  });

  test('carries what the push asked for between data and id', () => {
    const asked: Payload = { ...plain, maxTries: 3, timeout: 1.5, data: null, backoff: ['1s', 5] };
    expect(encodePayload(asked, unlimited)).toBe(
      '{"job":"mail.send","maxTries":3,"timeout":1.5,"data":null,"backoff":["1s",5],"id":"id-1","attempts":0}',
    );
  });

  test('carries where its push stands in a trace before the due time: id and attempts stay last', () => {
    const traced: Payload = { ...plain, data: 1, trace: { traceparent, tracestate: 'a=1' }, dueAt: 7 };
    const body = encodePayload(traced, unlimited);
    expect(body).toMatch(
      new RegExp(
        `"data":1,"traceparent":"${traceparent}","tracestate":"a=1","dueAt":7,"id":"id-1","attempts":0}$`,
      ),
    );
    expect(decodeThinkQueue3(body)).toEqual({ payload: traced });
  });

  test.each([
    { traceparent: 'no such thing' },
    { traceparent: 5 },
    { tracestate: 'a=1' },
    { traceparent: `${traceparent}"` },
  ])('takes what is no trace for none, and the job for good: %j', (trace) => {
    expect(decodeThinkQueue3(JSON.stringify({ ...plain, ...trace }))).toEqual({ payload: plain });
  });

  test.each([1, '', 'x'.repeat(513)])('leaves a state out that is none, or long: %j', (tracestate) => {
    const decoded = decodeThinkQueue3(JSON.stringify({ ...plain, traceparent, tracestate }));
    expect(decoded).toEqual({ payload: { ...plain, trace: { traceparent } } });
  });

  test('keeps its order whatever the order of the keys it is made of', () => {
    const shuffled = { id: 'id-1', data: { to: 'a@b.c' }, timeout: null, job: 'mail.send', maxTries: null };
    expect(encodePayload(shuffled, unlimited)).toBe(encodePayload(plain, unlimited));
  });

  test('ends in "attempts":0} also where the data does', () => {
    const body = encodePayload({ ...plain, data: { x: '"attempts":0}' } }, unlimited);
    expect(body.endsWith(',"id":"id-1","attempts":0}')).toBe(true);
  });

  test('holds no raw half of a surrogate pair and no data that JSON changes', () => {
    for (const data of ['\ud800', { at: new Date(0) }, [undefined], 1n]) {
      expect(() => encodePayload({ ...plain, data }, unlimited)).toThrow(
        expect.objectContaining({ code: 'E_PAYLOAD_INVALID' }),
      );
    }
  });

  test('is ASCII, and reads back as it was', () => {
    const data = { kéy: '🐢é\u2028\u007f 羊', plain: 'a"\\b\n' };
    const body = encodePayload({ ...plain, data }, unlimited);
    expect(body).toMatch(/^[ -\x7f]*$/);
    expect(body).toContain('\\ud83d\\udc22\\u00e9\\u2028');
    expect(decodeThinkQueue3(body)).toMatchObject({ payload: { data } });
  });

  test('may have so many bytes and no more, counted as they are stored', () => {
    const body = encodePayload({ ...plain, data: '🐢é' }, unlimited);
    const bytes = Buffer.byteLength(body);
    expect(bytes).toBe(encodePayload({ ...plain, data: '' }, unlimited).length + 12 + 6);
    expect(encodePayload({ ...plain, data: '🐢é' }, bytes)).toBe(body);
    expect(() => encodePayload({ ...plain, data: '🐢é' }, bytes - 1)).toThrow(
      expect.objectContaining({
        code: 'E_PAYLOAD_TOO_LARGE',
        message: `job mail.send: ${bytes} bytes exceed the ${bytes - 1} allowed`,
        fix: expect.stringContaining('maxPayloadBytes'),
      }),
    );
  });
});

describe('a body is read back', () => {
  test.each<[string, Payload]>([
    ['plain', plain],
    ['with limits', { ...plain, maxTries: 0, timeout: 0 }],
    ['with a backoff', { ...plain, backoff: exponential('1s', { factor: 3, jitter: false }) }],
    ['with an end and a due time', { ...plain, timeoutAt: 5, dueAt: 7 }],
    ['with a method', { ...plain, job: 'App\\Dismiss@task1' }],
    [
      'with hostile data',
      { ...plain, data: JSON.parse('{"__proto__":{"a":1},"constructor":2,"\\u0000":"🐢"}') },
    ],
  ])('%s, as it was written', (_, payload) => {
    const decoded = decodeThinkQueue3(encodePayload(payload, unlimited));
    expect(decoded).toEqual({ payload });
    const data = 'payload' in decoded ? decoded.payload.data : undefined;
    expect(JSON.stringify(data)).toBe(JSON.stringify(payload.data)); // the keys of data keep their order
  });

  test('from PHP, with its own fields and without ours, and ignores attempts', () => {
    const php =
      '{"job":"App\\\\Job@fire","maxTries":null,"timeout":null,"data":[],"pop":1,"id":"x","attempts":7}';
    expect(decodeThinkQueue3(php)).toEqual({
      payload: { job: 'App\\Job@fire', maxTries: null, timeout: null, data: [], id: 'x' },
    });
    expect(decodeThinkQueue3('{"job":"a"}')).toEqual({
      payload: { job: 'a', maxTries: null, timeout: null, data: null, id: '' },
    });
    expect(decodeThinkQueue3('{"job":"a","id":17}')).toMatchObject({ payload: { id: '17' } });
  });
});

describe('a body that cannot be run is told as a problem, and nothing is thrown', () => {
  test.each<[string, RegExp]>([
    ['', /not JSON/],
    ['{', /not JSON/],
    ['hello', /not JSON/],
    ['{"job":"a"} x', /not JSON/],
    ['null', /not a JSON object/],
    ['1', /not a JSON object/],
    ['"text"', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['[{"job":"a"}]', /not a JSON object/],
    ['{}', /undefined cannot be the name of a job/],
    ['{"job":null}', /name of a job/],
    ['{"job":1}', /name of a job/],
    ['{"job":["a"]}', /name of a job/],
    ['{"job":{"toString":1}}', /name of a job/],
    ['{"job":""}', /name of a job/],
    ['{"job":"../x"}', /name of a job/],
    ['{"job":"a@b@c"}', /name of a job/],
    ['{"job":"a","maxTries":-1}', /maxTries/],
    ['{"job":"a","maxTries":"3"}', /maxTries/],
    ['{"job":"a","maxTries":{}}', /maxTries/],
    ['{"job":"a","timeout":-1}', /timeout/],
    ['{"job":"a","timeout":"60"}', /timeout/],
    ['{"job":"a","timeout":1e999}', /timeout/],
    ['{"job":"a","timeoutAt":"soon"}', /timeoutAt/],
    ['{"job":"a","backoff":[]}', /backoff/],
    ['{"job":"a","backoff":null}', /backoff/],
    ['{"job":"a","backoff":"5 min"}', /backoff/],
    ['{"job":"a","backoff":{"type":"exponential","base":{"toString":null}}}', /.+/],
  ])('%s', (body, problem) => {
    const decoded = decodeThinkQueue3(body);
    expect(decoded).toEqual({ problem: expect.stringMatching(problem) });
  });

  test('an id that cannot be made a text', () => {
    expect(() => decodeThinkQueue3('{"job":"a","id":{"toString":null}}')).not.toThrow();
  });

  test('a body of 100,000 levels', () => {
    const deep = `{"job":"a","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(() => decodeThinkQueue3(deep)).not.toThrow();
  });
});

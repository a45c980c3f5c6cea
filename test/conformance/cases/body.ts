import type { ReservedJob } from '../../../src/index.js';
import type { ConformanceCase } from '../harness.js';
import { failedRecord, holds, holdsSize, idsOf, job, offered, reserveAll, reserveOne } from '../steps.js';

const megabyte = 1024 * 1024;

/** Bodies that a store which reads, re-encodes or compares them would change. */
const bodies: Readonly<Record<string, string>> = {
  'empty arrays and objects': '{"job":"x","data":{"list":[],"map":{},"deep":[[],[{}]],"null":null}}',
  'integers beyond 2^53': '{"data":[9007199254740993,18446744073709551616,-9223372036854775809]}',
  'long floats': '{"data":[0.1000000000000000055511151231257827,1.0,1e400,-0,-0.0,1E+2,3.140]}',
  'keys that stand twice': '{"data":1,"data":2,"job":"a","job":"b"}',
  'key order and white space': '{ "b" : 1 ,\t"a":2,\r\n"10":3, "9":4 }\n ',
  escapes: '{"data":"\\/ \\u002f \\u00e9 \u00e9 e\u0301 \\" \\\\ \\b\\f\\n\\r\\t \u2028\u2029"}',
  'a lone surrogate, escaped': '{"data":"\\ud800 and \\uDFFF"}',
  'NUL, escaped': '{"data":"a\\u0000b"}',
  'text beyond the basic plane': '{"data":"\u{1F411}\u{20BB7} \u{10FFFF} \\ud83d\\udc11"}',
  'a byte order mark': '\ufeff{"job":"x"}',
  'quotes and placeholders': `'; -- ? ?? :name $1 %s %d {} \${x} \\' "" \`\``,
  'invalid JSON': '{"job":"x","data":[1,2',
  'invalid JSON with our own words': '"attempts":1,"lease":"x"}"attempts":2}',
  'fields that stores like to patch': '{"id":"b","attempts":7,"lease":"mine","queue":"r","reserved_at":1}',
  'PHP serialized text': 'O:8:"stdClass":1:{s:1:"a";i:1;}',
  'white space at both ends': '  \t\n text \n\t  ',
  'text that looks like a number': '007',
  'text that looks like a date': '2024-02-30T25:61:61Z',
  'no characters at all': '',
  'separators of ASCII at both ends': '\x1f\x1e\x1f a \x1e\x1f\x1f',
  'separators of ASCII alone': '\x1e\x1f\x1e',
  '1 MB of one letter': `{"data":"${'x'.repeat(megabyte)}"}`,
  '1 MB of text in three bytes per letter': `{"data":"${'\u7f8a'.repeat(megabyte / 3)}"}`,
  '1 MB of quotes and brackets': `{"data":"${'\\"}],[{'.repeat(megabyte / 7)}"}`,
};

/** A body comes back as it was given, byte for byte, however often it moves. */
export const bodyCases: readonly ConformanceCase[] = [
  ...Object.entries(bodies).map(([what, body]) => keepsBody(what, body)),
  {
    name: 'body: all kinds in one batch, each with its own id',
    async run({ connector }) {
      const batch = Object.entries(bodies).map(([, body], index) => job(`job-${index}`, { body }));
      await connector.push('q', batch);
      const reserved = (await reserveAll(connector)).map(({ id, body }) => ({ id, body }));
      const pushed = batch.map(({ id, body }) => ({ id, body }));
      holds('a batch keeps each body with its id', reserved, pushed);
    },
  },
  {
    name: 'body: a job goes by its token alone, where the driver says so',
    async run({ connector, other }) {
      const batch = ['a', 'b', 'c'].map((id) =>
        job(id, { body: `{"job":"x","data":"${id}","id":"${id}","attempts":0}` }),
      );
      await connector.push('q', batch);
      const reserved = await reserveAll(connector);
      holds('all come', idsOf(reserved), ['a', 'b', 'c']);
      const byToken = reserved.filter(({ isFoundByToken }) => isFoundByToken).map(bare);
      const bodies = batch.filter(({ id }) => idsOf(byToken).includes(id)).map(({ body }) => body);
      holds('a token finds the body', (await other.bodiesOf?.(byToken)) ?? bodies, bodies);
      const [first, ...rest] = byToken.map(({ lease }) => lease);
      if (first === undefined) return;
      const strange = {
        ...first,
        token: 'f'.repeat(first.token.length),
        handle: 'f'.repeat(first.token.length),
      };
      holds('another token finds nothing', await other.delete([strange]), [false]);
      holds('a token settles its job once', await other.delete([first, first]), [true, false]);
      holds(
        'a token settles no other job',
        await connector.delete(reserved.map(({ lease }) => lease)),
        reserved.map(({ lease }) => lease.token !== first.token),
      );
      holds(
        'nothing is held by a token then',
        await other.delete(rest),
        rest.map(() => false),
      );
    },
  },
  {
    name: 'body: is read while its job is held, where the driver can',
    async run({ connector, other, advance }) {
      if (!connector.bodiesOf) return;
      const batch = Object.entries(bodies).map(([, body], index) => job(`job-${index}`, { body }));
      await connector.push('q', batch);
      const reserved = await reserveAll(connector);
      const known = reserved.map((one) => (one.isFoundByToken ? bare(one) : { ...one, body: '' }));
      const read = await offered(other).bodiesOf([...known].reverse());
      const isSame = reserved.map(({ body }, index) => read.at(-1 - index) === body);
      holds(
        'it is as it was reserved',
        isSame,
        reserved.map(() => true),
      );
      const [gone, ...rest] = reserved;
      await connector.delete(gone ? [gone.lease] : []);
      await advance(75_000);
      const again = await reserveAll(other);
      holds('all but the deleted come again', again.length, rest.length);
      holds(
        'a lease that was lost shows no body',
        await connector.bodiesOf(known),
        known.map(() => undefined),
      );
    },
  },
  {
    name: 'body: two jobs with the same body and different ids stay two jobs',
    async run({ connector, other, advance }) {
      const body = '{"job":"mail.send","data":[]}';
      const outcomes = await connector.push('q', [job('a', { body }), job('b', { body })]);
      await connector.push('q', [job('c', { body }), job('d', { body, delayMs: 20_000 })]);
      await connector.push('q', [job('e', { body, delayMs: 20_000 })]);
      holds('jobs are told apart by id', outcomes, ['stored', 'stored']);
      await holdsSize('equal bodies stay apart', connector, { ready: 3, delayed: 2 });
      await advance(30_000);
      const held = await reserveAll(connector);
      holds('each of them comes', held.map(({ id }) => id).sort(), ['a', 'b', 'c', 'd', 'e']);
      await holdsSize('equal bodies stay apart while reserved', other, { reserved: 5 });
      const [first, ...rest] = held;
      holds('deleting one', await connector.delete(first ? [first.lease] : []), [true]);
      await holdsSize('deleting one leaves those of equal body', other, { reserved: 4 });
      const released = await connector.release(rest.map(({ lease }) => ({ lease, delayMs: 0 })));
      holds('each of them can be released', released, [true, true, true, true]);
      await holdsSize('equal bodies stay apart after a release', other, { ready: 4 });
    },
  },
  {
    name: 'body: is kept through the failed store and back',
    needs: ['fail', 'failedJobs', 'failedJobs.retry'],
    async run({ connector, other }) {
      const all = Object.values(bodies);
      await connector.push(
        'q',
        all.map((body, index) => job(`job-${index}`, { body })),
      );
      const held = await reserveAll(connector);
      const failures = held.map((one) => ({ lease: one.lease, record: failedRecord(one) }));
      const uuids = failures.map(({ record }) => record.uuid);
      await offered(connector).fail(failures);
      const kept = await offered(other).failedJobs.find(uuids);
      holds('the failed store keeps each payload', sorted(kept.map(({ payload }) => payload)), sorted(all));
      await offered(other).failedJobs.retry(uuids);
      const again = (await reserveAll(other)).map(({ body }) => body);
      holds('a retried job has the body it had', sorted(again), sorted(all));
    },
  },
];

function keepsBody(what: string, body: string): ConformanceCase {
  return {
    name: `body: is kept byte for byte: ${what}`,
    async run({ connector, other, advance }) {
      await connector.push('q', [job('a', { body })]);
      const first = await reserveOne(connector);
      holds('the first reserve hands out the body as pushed', first.body, body);
      await connector.extend([first.lease], 60_000);
      await connector.release([{ lease: first.lease, delayMs: 0 }]);
      holds('the body is kept through a release', (await reserveOne(other)).body, body);
      await advance(75_000);
      const third = await reserveOne(other);
      holds('the body is kept through a lapse', third.body, body);
      holds('whatever the body, the job can be deleted', await connector.delete([third.lease]), [true]);
      await holdsSize('whatever the body, nothing is left', connector, {});
    },
  };
}

/** What is left of a job whose body and handle nobody wrote down. */
function bare(reserved: ReservedJob): ReservedJob {
  const { lease } = reserved;
  return { ...reserved, body: '', lease: { ...lease, handle: lease.token } };
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort();
}

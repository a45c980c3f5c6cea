import { describe, expect, test } from 'vitest';
import { checkLedger, type LedgerEvent, type LedgerRules, type Remains } from '../conformance/index.js';

const rules: LedgerRules = {
  leaseMs: 6000,
  tries: 3,
  pollMs: 1000,
  pushAgainMs: 2000,
  slackMs: 2000,
  slots: 2,
  priorities: ['high', 'low'],
  inOrder: ['line'],
  exits: { none: [], term: [0], kill: ['SIGKILL'] },
};

const nothing: Remains = {
  failed: [],
  left: { ready: 0 },
  idle: { 'queries a second': { value: 0.2, most: 1 } },
};
const minute = 60_000;

/** Pushed at once, when `t` is over. */
const pushed = (id: string, t: number, queue = 'high', more = {}): LedgerEvent[] => [
  { ev: 'intent', t, id, queue, hash: id, ...more },
  { ev: 'ok', t: t + 1, id },
];

/** Not stored, by its error. */
const refused = (id: string, t: number): LedgerEvent[] => [
  { ev: 'intent', t, id, queue: 'high', hash: id },
  { ev: 'err', t: t + 1, id, code: 'E_STORE_FULL', ambiguous: false },
];

const settled = (id: string, t: number, attempt = 1): LedgerEvent => ({ ev: 'settled', t, id, attempt });

interface RunShape {
  readonly pid?: number;
  readonly parent?: number;
  readonly attempt?: number;
  readonly end?: 'finished' | 'threw' | 'released' | 'aborted' | undefined;
  readonly ms?: number;
  readonly queue?: string;
  readonly hash?: string;
}

const ran = (id: string, t: number, shape: RunShape = {}): LedgerEvent[] => {
  const { pid = 1, parent, attempt = 1, ms = 10, queue = 'high', hash = id } = shape;
  const end = 'end' in shape ? shape.end : 'finished';
  const started: LedgerEvent = {
    ev: 'started',
    t,
    id,
    queue,
    pid,
    attempt,
    hash,
    ...(parent && { parent }),
  };
  return end === undefined ? [started] : [started, { ev: end, t: t + ms, id, pid }];
};

const broke = (
  fault: Extract<LedgerEvent, { ev: 'fault' }>['fault'],
  fromMs: number,
  toMs = fromMs,
  pids?: number[],
): LedgerEvent => ({ ev: 'fault', fault, fromMs, toMs, ...(pids && { pids }) });

const exit = (cause: string, code: number | null, signal: string | null = null): LedgerEvent => ({
  ev: 'exit',
  t: 0,
  pid: 1,
  cause,
  code,
  signal,
});

const looks = (fromMs: number, toMs: number, ready: number): LedgerEvent[] =>
  Array.from({ length: (toMs - fromMs) / 250 }, (_, index) => ({
    ev: 'depth',
    t: fromMs + index * 250,
    ready,
  }));

const memory = (pid: number, minutes: number, mibAt: (minute: number) => number): LedgerEvent[] =>
  Array.from({ length: minutes * 6 }, (_, index) => ({
    ev: 'memory',
    t: index * 10_000,
    pid,
    rssMiB: mibAt(index / 6),
  }));

const timeOf = (event: LedgerEvent) => ('t' in event ? event.t : event.fromMs);

interface History {
  readonly name: string;
  readonly events?: readonly LedgerEvent[];
  readonly remains?: Partial<Remains>;
}

/** What of a history is red: the numbers of its invariants. */
function redOf({ events = [], remains = {} }: History): number[] {
  return checkLedger(events, { ...nothing, ...remains }, rules)
    .filter(({ violations }) => violations.length > 0)
    .map(({ invariant }) => invariant);
}

/** A job that was done while the process that would call its handler stood still; it calls it in the end. */
const doneElsewhere = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, t: number) => [
  ...pushed('a', 0),
  broke('stop', fromMs, toMs, [7]),
  ...ran('a', 6100, { attempt: 2 }),
  ...ran('a', t, { pid: 7, end: 'aborted', ms: 1 }),
];

const good: readonly History[] = [
  { name: 'a job that ran once', events: [...pushed('a', 0), ...ran('a', 10)] },
  {
    name: 'a push of which nobody knows',
    events: [{ ev: 'intent', t: 0, id: 'a', queue: 'high', hash: 'a' }],
  },
  {
    name: 'a job that failed for good',
    events: [
      ...pushed('a', 0),
      ...[1, 2, 3].flatMap((attempt) => ran('a', attempt * 100, { attempt, end: 'threw' })),
    ],
    remains: { failed: [{ id: 'a', hash: 'a' }] },
  },
  {
    name: 'a second run of what was killed before it was settled',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      broke('kill', 25, 25, [7]),
      ...ran('a', 6030, { attempt: 2 }),
    ],
  },
  {
    name: 'the same attempt again, after the death of its process',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, end: undefined }),
      broke('death', 25, 25, [7]),
      ...ran('a', 60),
    ],
  },
  {
    name: 'two runs at once of a job whose holder stood still for a lease',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, ms: 9000 }),
      broke('stop', 20, 8000, [7]),
      ...ran('a', 7000, { attempt: 2, ms: 3000 }),
    ],
  },
  {
    name: 'a handler that was about to be called when its process was stopped for a lease',
    events: doneElsewhere({ fromMs: 10, toMs: 8000 }, 8010),
  },
  {
    name: 'the same, while the one runs that has the job by then',
    events: [
      ...pushed('a', 0),
      broke('stop', 10, 8000, [7]),
      ...ran('a', 7000, { attempt: 2, ms: 3000 }),
      ...ran('a', 8010, { pid: 7, end: 'aborted', ms: 1 }),
    ],
  },
  {
    name: 'the same, right before that one runs',
    events: [
      ...pushed('a', 0),
      broke('stop', 10, 8000, [7]),
      ...ran('a', 8010, { pid: 7, end: 'aborted', ms: 100 }),
      ...ran('a', 8020, { attempt: 2 }),
    ],
  },
  {
    name: 'a job that a process took after it went on, and another one its next attempt',
    events: [
      broke('stop', 10, 8000, [7]),
      ...pushed('a', 8010),
      ...ran('a', 8020, { pid: 7, end: 'threw' }),
      ...ran('a', 8040, { attempt: 2 }),
    ],
  },
  {
    name: 'a job that was pushed again when it was done',
    events: [...pushed('a', 0), ...ran('a', 10), ...pushed('a', 50), ...ran('a', 60)],
  },
  {
    name: 'a push whose answer was lost, and that the client repeated',
    events: [
      { ev: 'intent', t: 0, id: 'a', queue: 'high', hash: 'a' },
      broke('network', 1),
      { ev: 'ok', t: 100, id: 'a' },
      ...ran('a', 10),
      ...ran('a', 120),
    ],
  },
  {
    name: 'a push whose answer came so late that the client repeated it',
    events: [
      { ev: 'intent', t: 0, id: 'a', queue: 'high', hash: 'a' },
      ...ran('a', 10),
      { ev: 'ok', t: 2100, id: 'a' },
      ...ran('a', 2120),
    ],
  },
  {
    name: 'an attempt beyond the tries, where a worker died before it came to the job',
    events: [
      ...pushed('a', 0),
      ...[1, 2, 3].flatMap((attempt) => ran('a', attempt * 100, { attempt, end: 'threw' })),
      broke('kill', 350, 350, [9]),
      ...ran('a', 7000, { attempt: 4 }),
    ],
  },
  {
    name: 'jobs in order, but for one that was delivered again',
    events: [
      ...[0, 1, 2].flatMap((n) => pushed(`a${n}`, n * 10, 'line')),
      broke('kill', 40, 40, [9]),
      ...ran('a1', 50, { queue: 'line' }),
      ...ran('a2', 70, { queue: 'line' }),
      ...ran('a0', 6100, { queue: 'line', attempt: 2 }),
    ],
  },
  {
    name: 'a long queue, with a delayed job that waits its turn',
    events: [
      ...pushed('late', 0, 'high', { delayMs: 100 }),
      ...Array.from({ length: 40 }, (_, n) => [...pushed(`a${n}`, 1), ...ran(`a${n}`, 100 + n * 250)]).flat(),
      ...ran('late', 11_000),
    ],
  },
  {
    name: 'due jobs, and every slot taken',
    events: [
      ...['a', 'b', 'c'].flatMap((id) => pushed(id, 0)),
      ...ran('a', 5, { ms: 20_000 }),
      ...ran('b', 5, { pid: 2, ms: 20_000 }),
      ...looks(0, 20_000, 1),
      ...ran('c', 20_010),
    ],
  },
  {
    name: 'a second run of what was killed long after its end, and not settled yet',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      ...pushed('b', 0),
      ...ran('b', 10),
      settled('b', 30),
      broke('kill', 3000, 3000, [7]),
      ...ran('a', 9000, { attempt: 2 }),
    ],
  },
  {
    name: 'processes of one number, one after the other',
    events: [0, 1].flatMap((since) =>
      memory(1, 3, () => 80 + since * 300).map((event) => ({
        ...event,
        since,
        t: timeOf(event) + since * 1e6,
      })),
    ),
  },
  {
    name: 'a refused push, and one of unknown outcome that was stored',
    events: [
      ...refused('a', 0),
      ...refused('b', 0),
      { ev: 'intent', t: 5, id: 'b', queue: 'high', hash: 'b' },
      { ev: 'err', t: 6, id: 'b', code: 'E', ambiguous: true },
      ...ran('b', 10),
    ],
  },
  {
    name: 'what a replica that took over had not heard of: a push, a reserve and a delete',
    events: [
      ...['a', 'b', 'c'].flatMap((id) => pushed(id, 0)),
      broke('failover', 0, 2000),
      ...ran('b', 10, { ms: 3000 }),
      ...ran('b', 2000, { pid: 2 }),
      ...ran('c', 10),
      ...ran('c', 2000),
    ],
  },
  {
    name: 'a store that is full or whose failed jobs are away, and a clock that jumps, while all goes well',
    events: [
      ...pushed('a', 0),
      broke('full', 5, 50),
      broke('clock', 5, 50, [1]),
      broke('graves', 5, 50),
      ...ran('a', 10),
    ],
  },
  { name: 'orderly ends', events: [exit('term', 0), exit('kill', null, 'SIGKILL')] },
  {
    name: 'a few more files for a while',
    events: memory(1, 6, () => 80).map((event, index) => ({ ...event, files: index % 7 === 6 ? 29 : 20 })),
  },
  { name: 'memory that goes up and down', events: memory(1, 12, (at) => 80 + 5 * Math.sin(at * 9)) },
];

const bad: readonly (History & { readonly red: readonly number[] })[] = [
  { red: [1], name: 'an accepted job that never ran', events: pushed('a', 0) },
  {
    red: [1],
    name: 'an accepted job that threw, and is not among the failed ones',
    events: [...pushed('a', 0), ...ran('a', 10, { end: 'threw' })],
  },
  {
    red: [5],
    name: 'a handler called long after the stop in which its job was done elsewhere',
    events: doneElsewhere({ fromMs: 10, toMs: 8000 }, 9000),
  },
  {
    red: [5],
    name: 'a handler called right after a stop that no lease lapses in',
    events: doneElsewhere({ fromMs: 6000, toMs: 7000 }, 7010),
  },
  {
    red: [1],
    name: 'a job that was accepted long before a replica took over',
    events: [...pushed('a', 0), broke('failover', 5000, 7000)],
  },
  {
    red: [1],
    name: 'a job that was accepted by a store that got full',
    events: [...pushed('a', 0), broke('full', 0, 1000)],
  },
  {
    red: [2],
    name: 'a job whose push was refused',
    events: [...refused('a', 0), ...ran('a', 10)],
  },
  { red: [2], name: 'a job that nobody pushed', events: ran('a', 10) },
  { red: [2], name: 'other data', events: [...pushed('a', 0), ...ran('a', 10, { hash: 'b' })] },
  {
    red: [2],
    name: 'other data in the failed jobs',
    events: pushed('a', 0),
    remains: { failed: [{ id: 'a', hash: 'b' }] },
  },
  {
    red: [3, 5],
    name: 'a second run without any fault',
    events: [...pushed('a', 0), ...ran('a', 10), ...ran('a', 60, { attempt: 2 })],
  },
  {
    red: [3, 5],
    name: 'a second run of what was settled before the kill',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      settled('a', 22),
      broke('kill', 25, 25, [7]),
      ...ran('a', 6030, { attempt: 2 }),
    ],
  },
  {
    red: [3, 5],
    name: 'a second run before the kill',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      ...ran('a', 30, { pid: 8, attempt: 2 }),
      broke('kill', 50, 50, [7]),
    ],
  },
  {
    red: [3, 5],
    name: 'a second run of which only a full store, absent graves and a jumping clock are guilty',
    events: [
      ...pushed('a', 0),
      broke('full', 5, 50),
      broke('clock', 5, 50, [1]),
      broke('graves', 5, 50),
      ...ran('a', 10),
      ...ran('a', 60, { attempt: 2 }),
    ],
  },
  {
    red: [3, 5],
    name: 'a second run of what was done long before the kill',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      broke('kill', 5000, 5000, [7]),
      ...ran('a', 6000, { attempt: 2 }),
    ],
  },
  {
    red: [3, 5],
    name: 'a second run after an orderly stop',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7 }),
      broke('term', 15, 15, [7]),
      ...ran('a', 60, { attempt: 2 }),
    ],
  },
  {
    red: [3, 4],
    name: 'two runs at once',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { ms: 9000 }),
      ...ran('a', 6010, { pid: 2, attempt: 2, ms: 9000 }),
    ],
  },
  {
    red: [4],
    name: 'two runs at once of a job whose holder stood still for too short',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, ms: 3000 }),
      broke('stop', 20, 1000, [7]),
      ...ran('a', 2000, { attempt: 2, ms: 3000 }),
    ],
  },
  {
    red: [4],
    name: 'two runs at once of a job whose holder stood still for too short, with its command and in an outage',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, parent: 8, ms: 4000 }),
      broke('stop', 20, 2020, [8, 7]),
      broke('outage', 520, 2020),
      ...ran('a', 3000, { attempt: 2, ms: 3000 }),
    ],
  },
  {
    red: [4],
    name: 'a run beside that of the holder, in a process that went on and took what was not free',
    events: [
      ...pushed('a', 0),
      ...ran('a', 5, { pid: 7, end: 'threw', ms: 7996 }),
      broke('stop', 10, 8000, [7]),
      ...ran('a', 7000, { attempt: 2, ms: 3000 }),
      ...ran('a', 8010, { pid: 7, attempt: 3, end: 'threw' }),
    ],
  },
  {
    red: [5],
    name: 'an attempt that did not count',
    events: [...pushed('a', 0), ...ran('a', 10, { end: 'threw' }), ...ran('a', 60)],
  },
  {
    red: [5],
    name: 'a delivery that did not count, as its holder stood still',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, ms: 9000 }),
      broke('stop', 20, 8000, [7]),
      ...ran('a', 7000, { ms: 3000 }),
    ],
  },
  {
    red: [5],
    name: 'one try too many',
    events: [
      ...pushed('a', 0),
      ...[1, 2, 3, 4].flatMap((attempt) => ran('a', attempt * 100, { attempt, end: 'threw' })),
    ],
    remains: { failed: [{ id: 'a', hash: 'a' }] },
  },
  {
    red: [6],
    name: 'a delayed job that came early',
    events: [...pushed('a', 0, 'high', { delayMs: 5000 }), ...ran('a', 4000)],
  },
  {
    red: [6],
    name: 'a delayed job that was forgotten while others came and went',
    events: [
      ...pushed('a', 0, 'low', { delayMs: 100 }),
      ...pushed('b', 9000, 'low'),
      ...ran('b', 9010, { queue: 'low' }),
      ...ran('a', 9500, { queue: 'low' }),
    ],
  },
  {
    red: [6],
    name: 'a job of a killed worker that was forgotten while others came and went',
    events: [
      ...pushed('a', 0),
      ...ran('a', 10, { pid: 7, end: undefined }),
      broke('kill', 100, 100, [7]),
      ...pushed('b', 20_000),
      ...ran('b', 20_010),
      ...ran('a', 30_000, { attempt: 2 }),
    ],
  },
  {
    red: [7],
    name: 'jobs out of order',
    events: [
      ...[0, 1].flatMap((n) => pushed(`a${n}`, n * 10, 'line')),
      ...ran('a1', 50, { queue: 'line' }),
      ...ran('a0', 70, { queue: 'line' }),
    ],
  },
  {
    red: [7],
    name: 'a later queue served first',
    events: [
      ...pushed('a', 0),
      ...pushed('b', 0, 'low'),
      ...ran('b', 4000, { queue: 'low' }),
      ...ran('a', 9000),
    ],
  },
  { red: [8], name: 'something left', remains: { left: { 'reserved jobs': 1 } } },
  { red: [9], name: 'memory that grows', events: memory(1, 12, (at) => 80 + at) },
  {
    red: [9],
    name: 'files that are never closed',
    events: memory(1, 6, () => 80).map((event, index) => ({ ...event, files: 20 + Math.floor(index / 3) })),
  },
  {
    red: [9],
    name: 'far too many files at once',
    events: memory(1, 6, () => 80).map((event, index) => ({ ...event, files: index === 20 ? 60 : 20 })),
  },
  { red: [9], name: 'memory that jumps', events: memory(1, 3, (at) => (at > 2.5 ? 300 : 80)) },
  { red: [10], name: 'a worker that ended by itself', events: [exit('none', 0)] },
  { red: [10], name: 'a worker that ends badly when asked to stop', events: [exit('term', 1)] },
  { red: [10], name: 'a complaint', events: [{ ev: 'complaint', t: 0, text: 'unhandled rejection' }] },
  {
    red: [11],
    name: 'due jobs and nobody who takes them',
    events: [...pushed('a', 0), ...looks(0, 20_000, 1), ...ran('a', 20_000)],
  },
  {
    red: [12],
    name: 'workers that ask all the time',
    remains: { idle: { 'queries a second': { value: 40, most: 1 } } },
  },
];

test('the checks are twelve, by number', () => {
  expect(checkLedger([], nothing, rules).map(({ invariant }) => invariant)).toEqual(
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
});

test('what a ledger does not show is neither green nor red', () => {
  const seen = checkLedger([], { failed: [], left: {} }, rules).filter(({ observed }) => observed);
  expect(seen).toEqual([]);
});

describe('green', () => {
  test.each(good)('$name', (history) => expect(redOf(history)).toEqual([]));

  test('shows all that is looked at', () => {
    const { figures } = checkLedger(good[0]?.events ?? [], nothing, rules)[0] ?? {};
    expect(figures).toEqual({ accepted: 1, ambiguous: 0, finished: 1, failed: 0, undone: 0 });
  });
});

describe('red', () => {
  test.each(bad)('$red: $name', (history) => expect(redOf(history)).toEqual(history.red));

  test('is each of them once', () => {
    const all = new Set(bad.flatMap(({ red }) => red));
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });
});

test('a slow minute is nobody’s fault while processes are killed', () => {
  const events = [...pushed('a', 0), ...looks(0, minute, 1), broke('outage', 0, minute), ...ran('a', minute)];
  expect(redOf({ name: '', events })).toEqual([]);
});

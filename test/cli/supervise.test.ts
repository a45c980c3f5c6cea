import { closeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createParser } from '../../cli/main.js';
import { afterEnd } from '../../cli/supervise/after-end.js';
import { openBoard, readEvidence, readJournalParts, writeEvidence } from '../../cli/supervise/board.js';
import { blockerOf, earliestDueMs } from '../../cli/supervise/due.js';
import { readJournal, type StartRecord } from '../../cli/supervise/journal.js';
import { JournalEntry } from '../../cli/supervise/journal-entry.js';
import { JournalWriter } from '../../cli/supervise/journal-writer.js';
import { judge } from '../../cli/supervise/judge.js';
import { Quickness } from '../../cli/supervise/quickness.js';
import { Steps } from '../../cli/supervise/steps.js';
import { writeUnwritten } from '../../cli/supervise/unwritten.js';
import { isForGroups, readPlainWork } from '../../cli/supervise/words.js';
import type { ReservedJob } from '../../src/index.js';
import { monotonicMs } from '../../src/monotonic.js';

function reservedJob(
  id: string,
  body = `{"job":"j","id":"${id}"}`,
  handle: string | number = 7,
): ReservedJob {
  return { id, queue: 'q', body, attempts: 2, lease: { queue: 'q', token: `t-${id}`, handle } };
}

function record(id: string, more: Partial<StartRecord> = {}): StartRecord {
  const reserved = reservedJob(id);
  return { reserved, name: 'j', slot: 0, atMs: 1000, timeoutMs: 500, state: 'running', ...more };
}

function reserve(
  writer: JournalWriter,
  jobs: readonly ReservedJob[],
  { alone = [] as readonly string[], bodiesInStore = false } = {},
): JournalEntry[] {
  const entries = jobs.map((job) => new JournalEntry(job));
  writer.reserved(entries, ({ reserved: { id } }) => alone.includes(id), bodiesInStore);
  return entries;
}

function onlyOne(writer: JournalWriter, job: ReservedJob): JournalEntry {
  return reserve(writer, [job])[0] as JournalEntry;
}

function start(writer: JournalWriter, entry: JournalEntry, slot = 0, name = 'j', timeoutMs = 0): void {
  writer.started(entry, slot, name, timeoutMs, false, monotonicMs());
}

/** Until all is written that waits for what the next turn of the event loop brings. */
async function turnsEnd(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/** Ends a test where a write fails. */
const refuse = (error: unknown) => {
  throw error;
};

describe('the journal', () => {
  function written(use: (writer: JournalWriter) => void) {
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    const first = onlyOne(writer, reservedJob('first'));
    writer.flush(); // the first frame tells what there is; those that follow, what happens
    writer.ended(first);
    use(writer);
    writer.flush();
    const journal = readJournal(readJournalParts(fd));
    closeSync(fd);
    return journal;
  }

  test('tells of each job how far it is', () => {
    const [held, running, done, zombie, ended] = ['h', 'r', 'd', 'z', 'e'].map((id) => reservedJob(id));
    const all = [held, running, done, zombie, ended] as ReservedJob[];
    const { held: left, started } = written((writer) => {
      const [, ...entries] = reserve(writer, all);
      for (const [slot, entry] of entries.entries()) start(writer, entry, slot, 'name', 60_000);
      writer.done(entries[1] as JournalEntry);
      writer.settled(entries[2] as JournalEntry);
      writer.ended(entries[3] as JournalEntry);
    });
    expect(left).toEqual([held]);
    expect(started.map(({ reserved, state, slot }) => [reserved, state, slot])).toEqual([
      [running, 'running', 0],
      [done, 'done', 1],
      [zombie, 'settled', 2],
    ]);
    expect(started[0]).toMatchObject({ name: 'name', timeoutMs: 60_000 });
  });

  test.each([
    ['line breaks', 'a', '{\n"job": "j"\n}\n', '{\n\t"x"}'],
    ['tabs and dots', 'a\tb', '.', 'x\ty'],
    ['a line break in an id', 'a\nE1', 'B', 'n12'],
    ['a handle that looks like a number', 'a', '', '42'],
    ['text beyond ASCII', 'ä', '{"x":"😀"}', 'ß'],
    ['bodies that are longer than all others', 'a', 'ä😀x'.repeat(500_000), 'h'],
  ])('keeps %s as they are', (_, id, body, handle) => {
    const job = reservedJob(id, body, handle);
    const { started } = written((writer) => {
      start(writer, onlyOne(writer, job));
    });
    expect(started[0]?.reserved).toEqual(job);
  });

  test('has each start before the handler runs', async () => {
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    const jobs = ['a', 'b'].map((id) => reservedJob(id));
    const seen: number[] = [];
    const entries = reserve(writer, jobs);
    await new Promise(setImmediate); // what that brought is written: no later write may stand in for those looked for
    const handlers = entries.map(async (entry, slot) => {
      start(writer, entry, slot);
      await undefined;
      seen.push(readJournal(readJournalParts(fd)).started.length);
    });
    await Promise.all(handlers);
    await new Promise(setImmediate); // a write that came too late must not meet the file of the next test
    closeSync(fd);
    expect(seen).toEqual([2, 2]);
  });

  test('keeps jobs of several reserves apart, whatever their leases look like', () => {
    const lane = { ...reservedJob('lane'), lease: { queue: 'q:lane', token: '', handle: -3.5 } };
    const batches = [
      [reservedJob('a', 'A', 'ä\t'), lane],
      [reservedJob('b'), reservedJob('c')],
    ];
    const { started, held } = written((writer) => {
      const [, laneEntry, b] = batches.flatMap((batch) => reserve(writer, batch)) as JournalEntry[];
      start(writer, laneEntry as JournalEntry);
      writer.ended(b as JournalEntry);
    });
    expect(started.map(({ reserved }) => reserved)).toEqual([lane]);
    expect(held).toEqual([batches[0]?.[0], batches[1]?.[1]]);
  });

  test('has no more than ids and tokens of jobs that those find in the store', () => {
    const jobs = ['a', 'ä', 'longer'].map((id) => ({ ...reservedJob(id), isFoundByToken: true }));
    const bare = ['a', 'ä', 'longer'].map((id) => reservedJob(id, '', `t-${id}`));
    const other = reservedJob('other');
    const { held, started } = written((writer) => {
      const [, second] = reserve(writer, [...jobs, other], { bodiesInStore: true });
      start(writer, second as JournalEntry);
    });
    expect(started.map(({ reserved }) => reserved)).toEqual([bare[1]]);
    expect(held).toEqual([bare[0], bare[2], { ...other, body: '' }]);
  });

  test('begins again with what finds jobs in the store', () => {
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    const jobs = ['running', 'held'].map((id) => ({ ...reservedJob(id), isFoundByToken: true }));
    const [running] = reserve(writer, jobs, { bodiesInStore: true });
    start(writer, running as JournalEntry);
    for (let index = 0; index < 300; index++) {
      writer.ended(onlyOne(writer, reservedJob(`p${index}`, 'x'.repeat(4000))));
      writer.flush();
    }
    const parts = readJournalParts(fd);
    closeSync(fd);
    expect(parts.frames.length).toBeLessThan(1_200_000);
    const { held, started } = readJournal(parts);
    expect(started.map(({ reserved }) => reserved)).toEqual([reservedJob('running', '', 't-running')]);
    expect(held).toEqual([reservedJob('held', '', 't-held')]);
  });

  test('has no bodies that are in the store, also of jobs that run', () => {
    const jobs = ['a', 'b'].map((id) => reservedJob(id, 'x'.repeat(5000)));
    const bare = jobs.map((job) => ({ ...job, body: '' }));
    const { held, started } = written((writer) => {
      const [first] = reserve(writer, jobs, { bodiesInStore: true });
      start(writer, first as JournalEntry);
    });
    expect(started.map(({ reserved }) => reserved)).toEqual([bare[0]]);
    expect(held).toEqual([bare[1]]);
  });

  test('begins again when it is long, with all that is still there', () => {
    const stays = reservedJob('stays');
    const held = reservedJob('held');
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    const [staying] = reserve(writer, [stays, held]) as [JournalEntry];
    start(writer, staying);
    for (let index = 0; index < 3000; index++) {
      const passing = onlyOne(writer, reservedJob(`p${index}`, 'x'.repeat(1000)));
      start(writer, passing, 1);
      writer.flush();
      writer.ended(passing);
    }
    writer.flush();
    const parts = readJournalParts(fd);
    const text = parts.frames;
    closeSync(fd);
    expect(text.length).toBeLessThan(1_500_000);
    const journal = readJournal(parts);
    expect(journal.started.map(({ reserved }) => reserved)).toEqual([stays]);
    expect(journal.held.map(({ id }) => id)).toEqual(['held']);
  });

  test('is read up to its last whole frame', () => {
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    onlyOne(writer, reservedJob('a'));
    writer.flush();
    onlyOne(writer, reservedJob('b'));
    writer.flush();
    const parts = readJournalParts(fd);
    const text = parts.frames;
    closeSync(fd);
    for (let length = 0; length < text.length; length++) {
      const whole = readJournal({ ...parts, frames: text.subarray(0, length) }).held.map(({ id }) => id);
      expect(['', 'a']).toContain(whole.join());
    }
    expect(readJournal(parts).held.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  describe('of quick handlers', () => {
    const ids = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => id);
    const started = (journal: ReturnType<typeof readJournal>) =>
      journal.started.map(({ reserved, state }) => `${reserved.id} ${state}`);

    /** Runs quick jobs until a frame has announced those of the answer, which are held. */
    async function untilAnnounced(isWatched: boolean, more: readonly ReservedJob[], bodiesInStore = false) {
      const fd = openBoard();
      const steps = new Steps();
      steps.isWatched = isWatched;
      const writer = new JournalWriter(fd, steps, refuse);
      const read = () => readJournal(readJournalParts(fd));
      const first = [reservedJob('q0'), reservedJob('q1'), reservedJob('q2'), ...more];
      const quick = reserve(writer, first, { bodiesInStore });
      const rest = quick.splice(3);
      for (const entry of quick) {
        start(writer, entry);
        await undefined;
        writer.done(entry);
      }
      return { fd, steps, writer, rest, read };
    }

    const announces = ({ read }: { read(): ReturnType<typeof readJournal> }, wanted: readonly string[]) => {
      const announced = ids(read().announced);
      return wanted.every((id) => announced.includes(id));
    };

    /** A slow machine has no quick handlers at times, and announces fewer of them at others, or quick ones among them. */
    async function whenAnnounced(
      more: readonly ReservedJob[],
      wanted: readonly string[] = ['a'],
      bodiesInStore = false,
    ) {
      for (;;) {
        const run = await untilAnnounced(true, more, bodiesInStore);
        if (announces(run, wanted)) return run;
        await turnsEnd();
        closeSync(run.fd);
      }
    }

    test('announces those that come next, but none with a long body', async () => {
      const long = reservedJob('long', 'x'.repeat(5000));
      const { fd, read } = await whenAnnounced([reservedJob('a'), long, reservedJob('b')], ['a', 'b']);
      const journal = read();
      expect(ids(journal.announced)).toEqual(expect.arrayContaining(['a', 'b']));
      expect(ids(journal.held)).toEqual(['long']);
      await turnsEnd();
      expect(ids(read().announced)).toEqual([]);
      expect(started(read())).toEqual(['q0 done', 'q1 done', 'q2 done']);
      closeSync(fd);
    });

    test.each([true, undefined])(
      'announces long ones that are in the store (by token: %s)',
      async (isFoundByToken) => {
        const long = { ...reservedJob('long', 'x'.repeat(5000)), ...(isFoundByToken && { isFoundByToken }) };
        const { fd, read } = await whenAnnounced([long], ['long'], true);
        const announced = read().announced.find(({ id }) => id === 'long');
        expect(announced).toEqual(reservedJob('long', '', isFoundByToken ? 't-long' : 7));
        await turnsEnd();
        closeSync(fd);
      },
    );

    /** As {@link whenAnnounced}, and of jobs that came after. */
    async function whenArrivalsAnnounced(arrivals: readonly ReservedJob[]) {
      for (;;) {
        const run = await whenAnnounced([reservedJob('a')]);
        reserve(run.writer, arrivals);
        await undefined;
        if (announces(run, ['a', ...ids(arrivals)])) return run;
        await turnsEnd();
        closeSync(run.fd);
      }
    }

    test('announces with the frame that puts jobs on record, but none after one that runs alone', async () => {
      const { fd, writer, rest, read } = await whenArrivalsAnnounced([reservedJob('b')]);
      expect(ids(read().announced)).toEqual(['a', 'b']);
      writer.started(rest[0] as JournalEntry, 0, 'j', 0, true, monotonicMs());
      reserve(writer, [reservedJob('c')]);
      await undefined;
      expect([ids(read().announced), ids(read().held)]).toEqual([[], ['b', 'c']]);
      reserve(writer, [reservedJob('d')]);
      await undefined;
      expect([ids(read().announced), ids(read().held)]).toEqual([[], ['b', 'c', 'd']]);
      await turnsEnd();
      closeSync(fd);
    });

    test('leaves the end of a turn to what comes in the next, where nothing runs', async () => {
      const { fd, writer, rest, read } = await whenAnnounced([reservedJob('a')]);
      start(writer, rest[0] as JournalEntry);
      writer.done(rest[0] as JournalEntry);
      await new Promise(setImmediate);
      expect(ids(read().announced)).toContain('a');
      reserve(writer, [reservedJob('b')]);
      await undefined;
      expect(started(read()).at(-1)).toBe('a done');
      expect([...ids(read().announced), ...ids(read().held)]).toEqual(['b']);
      await turnsEnd();
      expect([ids(read().announced), ids(read().held)]).toEqual([[], ['b']]);
      closeSync(fd);
    });

    test('takes an announcement back at the end of a turn in which nothing starts', async () => {
      const { fd, writer, read } = await whenArrivalsAnnounced([reservedJob('b')]);
      await turnsEnd();
      reserve(writer, [reservedJob('c')]);
      await undefined;
      await turnsEnd();
      expect([ids(read().announced), ids(read().held)]).toEqual([[], ['a', 'b', 'c']]);
      closeSync(fd);
    });

    test('are known by the time from start to start, or to a frame between', () => {
      const quickness = new Quickness();
      quickness.started(1);
      expect(quickness.asked(1)).toBe(0);
      quickness.started(1.125);
      expect(quickness.asked(1.125)).toBe(4);
      quickness.started(1.25);
      expect(quickness.asked(1.375)).toBe(2); // while that one runs, or after it
      quickness.started(1.375);
      expect(quickness.asked(1.375)).toBe(4);
      expect([quickness.lasts(2.375), quickness.lasts(2.5)]).toEqual([true, false]);
      quickness.turnEnds(0);
      quickness.started(100);
      expect(quickness.asked(100)).toBe(4); // what came between the turns was no handler's time
      quickness.started(110);
      expect(quickness.asked(110)).toBe(0);
    });

    test('announces none where no watchdog looks', async () => {
      const { fd, read } = await untilAnnounced(false, [reservedJob('a')]);
      expect(ids(read().held)).toEqual(['a']);
      await turnsEnd();
      closeSync(fd);
    });

    test('is exact at the end of the turn in which a handler goes on', async () => {
      const { fd, writer, rest, read } = await whenAnnounced([reservedJob('a'), reservedJob('b')]);
      start(writer, rest[0] as JournalEntry);
      await turnsEnd();
      expect(read().started.at(-1)).toMatchObject({ reserved: { id: 'a' }, state: 'running' });
      expect(ids(read().held)).toEqual(['b']);
      start(writer, rest[1] as JournalEntry);
      await undefined;
      expect(started(read()).slice(-2)).toEqual(['a running', 'b running']);
      await turnsEnd();
      closeSync(fd);
    });

    test('a watchdog makes it exact where the thread is blocked, and the next start has a frame again', async () => {
      const { fd, steps, writer, rest, read } = await whenAnnounced([reservedJob('a'), reservedJob('b')]);
      start(writer, rest[0] as JournalEntry);
      writeUnwritten(fd, steps);
      expect(started(read()).at(-1)).toBe('a running');
      expect([ids(read().announced), ids(read().held)]).toEqual([[], ['b']]);
      start(writer, rest[1] as JournalEntry);
      await undefined;
      expect(started(read()).slice(-2)).toEqual(['a running', 'b running']);
      await turnsEnd();
      closeSync(fd);
    });
  });

  test('stands beside the evidence', () => {
    const fd = openBoard();
    const writer = new JournalWriter(fd, new Steps(), refuse);
    onlyOne(writer, reservedJob('a'));
    writer.flush();
    expect(readEvidence(fd)).toBeUndefined();
    writeEvidence(fd, { kind: 'blocked', slot: 3, stack: 'x'.repeat(100_000), atMs: 1 });
    expect(readEvidence(fd)).toMatchObject({ kind: 'blocked', slot: 3 });
    expect(readJournal(readJournalParts(fd)).held).toHaveLength(1);
    closeSync(fd);
  });
});

describe('when a blocked event loop is over its time', () => {
  test('the handler that the stack names counts; else all must have had their time', () => {
    const [slow, quick] = [record('slow', { slot: 1, timeoutMs: 9000 }), record('quick', { slot: 2 })];
    expect(earliestDueMs([slow, quick])).toBe(1500);
    expect(blockerOf([slow, quick], 1)).toEqual({ record: slow, dueMs: 10_000 });
    expect(blockerOf([slow, quick], undefined)).toEqual({ record: undefined, dueMs: 10_000 });
    expect(blockerOf([quick], undefined)).toEqual({ record: quick, dueMs: 1500 });
    expect(blockerOf([record('free', { timeoutMs: 0 })], 0).dueMs).toBe(Number.POSITIVE_INFINITY);
    expect(blockerOf([], undefined).dueMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('who is charged with a death', () => {
  const crash = { pid: 1, code: null, signal: 'SIGABRT', atMs: 3000, blameless: false } as const;
  const a = record('a', { slot: 0 });
  const b = record('b', { slot: 1 });
  const journal = {
    held: [reservedJob('h')],
    announced: [],
    started: [a, b, record('d', { state: 'done' }), record('z', { state: 'settled' })],
  };
  const verdicts = (judgement: ReturnType<typeof judge>) =>
    Object.fromEntries(judgement.left.map(({ reserved, verdict }) => [reserved.id, verdict.action]));
  const given = { a: 'give-back', b: 'give-back', d: 'delete', h: 'give-back' };

  test('of a crash: nobody at first, and all that ran are suspects', () => {
    const judgement = judge(crash, undefined, journal, new Set());
    expect(verdicts(judgement)).toEqual(given);
    expect(judgement.suspects).toEqual(['q a', 'q b']);
  });

  test('a suspect among others is not charged, one alone is, and stays a suspect', () => {
    expect(judge(crash, undefined, journal, new Set(['q a'])).charged).toEqual([]);
    const alone = judge(crash, undefined, { held: [], announced: [], started: [a] }, new Set(['q a']));
    expect(alone.charged[0]?.message).toContain('ended with SIGABRT (exit code 134) after 2.0 s');
    expect(alone.suspects).toEqual(['q a']);
  });

  test('who blocked the loop or ended the process, and then there are no suspects', () => {
    const blocked = judge(crash, { kind: 'blocked', slot: 1, stack: 'S', atMs: 2000 }, journal, new Set());
    expect(verdicts(blocked)).toEqual({ ...given, b: 'charge' });
    expect(blocked.suspects).toEqual([]);
    const exit = { kind: 'exit', slot: 0, stack: 'S', code: 0, atMs: 2000 } as const;
    expect(verdicts(judge({ ...crash, code: 0, signal: null }, exit, journal, new Set()))).toEqual({
      ...given,
      a: 'charge',
    });
  });

  test('nobody where it is not known who blocked the loop: all are suspects', () => {
    const native = judge(
      crash,
      { kind: 'blocked', atMs: 2000 },
      { held: [], announced: [], started: [a, b] },
      new Set(),
    );
    expect(native.charged).toEqual([]);
    expect(native.suspects).toEqual(['q a', 'q b']);
  });

  test('a job that may have run is a suspect too, and who ran beside it is not charged', () => {
    const perhaps = { held: [], announced: [reservedJob('p')], started: [a] };
    const judgement = judge(crash, undefined, perhaps, new Set(['q a']));
    expect(judgement.charged).toEqual([]);
    expect(judgement.suspects).toEqual(['q a', 'q p']);
    expect(judgement.left.find(({ reserved }) => reserved.id === 'p')).toMatchObject({
      started: true,
      verdict: { action: 'give-back' },
    });
  });

  test('nobody where no job is to blame', () => {
    const judgement = judge({ ...crash, blameless: true }, undefined, journal, new Set(['q a']));
    expect(verdicts(judgement)).toEqual(given);
    expect(judgement.suspects).toEqual([]);
  });
});

test.each([
  ['died', { reason: undefined, code: null, worked: true }, 1, { action: 'replace' }],
  ['uncaught', { reason: 'uncaught', code: 70, worked: true }, 1, { action: 'replace' }],
  ['stuck', { reason: 'stuck', code: 124, worked: true }, 1, { action: 'replace' }],
  ['its memory', { reason: 'memory', code: 12, worked: true }, 1, { action: 'end', code: 12 }],
  ['its memory, among several', { reason: 'memory', code: 12, worked: true }, 2, { action: 'replace' }],
  ['its one job', { reason: 'once', code: 0, worked: true }, 1, { action: 'go-on' }],
  ['nothing left', { reason: 'empty', code: 0, worked: true }, 2, { action: 'go-on' }],
  ['a restart', { reason: 'restart', code: 0, worked: true }, 2, { action: 'end', code: 0 }],
  ['an outage', { reason: 'outage', code: 69, worked: true }, 2, { action: 'end', code: 69 }],
  ['an error of the store', { reason: 'error', code: 2, worked: true }, 2, { action: 'end', code: 2 }],
] as const)('a worker process that ended for %s', (_, ended, workers, action) => {
  expect(afterEnd(ended, { workers, isGroup: false, stopping: false, everWorked: true })).toEqual(action);
});

test.each([
  ['memory', 12],
  ['max-jobs', 0],
  ['max-time', 0],
] as const)('a group of one process whose limit is %s goes on', (reason, code) => {
  const state = { workers: 1, isGroup: true, stopping: false, everWorked: true };
  expect(afterEnd({ reason, code, worked: true }, state)).toEqual({ action: 'replace' });
});

test('a process that never worked ends the command only where none has', () => {
  const ended = { reason: undefined, code: 2, worked: false };
  const state = { workers: 1, isGroup: false, stopping: false, everWorked: false };
  expect(afterEnd(ended, state)).toEqual({ action: 'end', code: 2 });
  expect(afterEnd(ended, { ...state, everWorked: true })).toEqual({ action: 'replace' });
  expect(afterEnd(ended, { ...state, stopping: true })).toEqual({ action: 'go-on' });
});

describe('a command line without doubt', () => {
  const read = async (line: string) => {
    const words = line.split(' ');
    let values: Readonly<Record<string, unknown>> | undefined;
    const entry = {
      usage: 'queue:work [connection]',
      summary: '',
      load: () => import('../../cli/commands/work-command.js'),
    };
    const parser = createParser(words, { stdout: process.stdout }, [entry], async (_, all) => {
      values = all;
    });
    await parser.parseAsync(words);
    return values;
  };

  test.each([
    ['queue:work', 1],
    ['work redis --json --workers 3', 3],
    ['work --workers=2 --queue high,default --concurrency=10', 2],
    ['work --connection redis --max-time=5m --daemon --stop-when-empty', 1],
    ['work --delay=-1 --memory=', 1],
  ])('%s: means what yargs says', async (line, workers) => {
    const plain = readPlainWork(line.split(' '));
    expect(plain?.workers).toBe(workers);
    const { _, $0, ...values } = { ...(await read(line)) };
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    expect(plain?.values).toEqual(Object.fromEntries(given));
  });

  test.each([
    'queue:size',
    'work --workers 0',
    'work --workers x',
    'work --workers=2 --workers=3',
    'work --once',
    'work --help',
    'work -h',
    'work --version',
    'work --supervised',
    'work --tries',
    'work --tries --json',
    'work --json=false',
    'work --trees 3',
    'work a b',
    'work a --connection b',
    'work -- a',
  ])('%s: is left to yargs', (line) => {
    expect(readPlainWork(line.split(' '))).toBeUndefined();
  });
});

test.each([
  ['queue:supervise', true],
  ['supervise mail --json', true],
  ['supervise --list', false],
  ['supervise --plan', false],
  ['supervise -h', false],
  ['work supervise', false],
] as const)('%s is for a supervisor of groups: %s', (line, isIt) => {
  expect(isForGroups(line.split(' '))).toBe(isIt);
});

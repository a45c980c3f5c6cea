import { closeSync, openSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readJournalParts } from '../../cli/supervise/board.js';
import { type Journal, readJournal } from '../../cli/supervise/journal.js';
import type { CliProject, Line } from '../support/cli.js';
import { faultyProject, startWorker } from './supervisor-project.js';

// Handlers so quick that several starts are announced by one frame of the journal, and one among them that is not.

let project: CliProject;

beforeEach(() => {
  project = faultyProject("timeout: '60s'");
});

afterEach(() => project.remove());

/** Jobs that are as quick as can be, with another in their middle. Answers their ids, in the order of the queue. */
async function pushAround(name: string, data: unknown = null): Promise<string[]> {
  const quick = Array.from({ length: 300 }, (_, index) => `quick-${index}`);
  const queue = await project.queue();
  const all = [...quick.slice(0, 150), 'odd', ...quick.slice(150)];
  for (const id of all) await queue.push(id === 'odd' ? name : 'notes', id === 'odd' ? data : null, { id });
  return all;
}

/** The journal of a live process, once it looks as it should. */
async function journalOf(pid: number, isIt: (journal: Journal) => boolean): Promise<Journal> {
  let journal: Journal | undefined;
  await expect
    .poll(
      () => {
        const fd = openSync(`/proc/${pid}/fd/4`, 'r');
        journal = readJournal(readJournalParts(fd));
        closeSync(fd);
        return isIt(journal);
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return journal as Journal;
}

const died = (lines: readonly Line[], pid: number) =>
  lines.find((line) => line.event === 'worker:stopped' && line.pid === pid);

/** What the quick jobs wrote down, in order. */
const quickRuns = () =>
  project
    .read('ran')
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('quick'));

/**
 * All have run but those of a reserve that was under way at the death, which is on no record: they come when their lease
 * lapses. None was charged with an attempt or failed.
 */
async function expectNoneLost(lines: readonly Line[], all: readonly string[]): Promise<void> {
  const { reserved, ...none } = await project.size();
  expect(none).toEqual({ ready: 0, delayed: 0 });
  expect(new Set([...quickRuns(), 'odd']).size + reserved).toBe(all.length);
  const done = lines.filter((line) => line.event === 'job:done');
  expect(done.map((line) => line.id)).toContain('odd');
  expect(new Set(done.map((line) => line.attempts))).toEqual(new Set([1]));
  expect(await (await project.queue()).failed.find(all)).toEqual([]);
}

describe.each([1, 10])('%i at a time', (concurrency) => {
  const flags = [`--concurrency=${concurrency}`, '--stop-when-empty'];

  test('a death in the middle of a run of quick jobs: nothing is lost, none is charged', async () => {
    const all = await pushAround('dies');
    const { running, pid } = await startWorker(project, flags);
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    await expectNoneLost(lines, all);
    const { suspects } = died(lines, pid) as { suspects?: string[] };
    expect(suspects).toContain('default odd');
    expect(suspects?.length).toBeLessThanOrEqual(32 + 2 * concurrency);
    // Only a suspect has run twice.
    const ran = quickRuns();
    const twice = ran.filter((id, index) => ran.indexOf(id) !== index);
    expect(suspects).toEqual(expect.arrayContaining(twice.map((id) => `default ${id}`)));
  });
});

test('one that waits is the only suspect, and those that had ended do not run again', async () => {
  const all = await pushAround('waits');
  const { running, pid } = await startWorker(project, ['--stop-when-empty']);
  await running.line({ event: 'job:started', id: 'odd' });
  await journalOf(
    pid,
    ({ announced, started }) =>
      announced.length === 0 && started.some(({ reserved }) => reserved.id === 'odd'), // its turn is over
  );
  process.kill(pid, 'SIGKILL');
  await running.line({ event: 'job:given-back', id: 'odd' });
  project.write('go', '');
  const { code, lines } = await running.exited;
  expect(code).toBe(0);
  expect(died(lines, pid)).toMatchObject({ signal: 'SIGKILL', suspects: ['default odd'] });
  await expectNoneLost(lines, all);
  expect((await project.size()).reserved).toBe(0);
  expect(new Set(quickRuns()).size).toBe(quickRuns().length);
});

test('one that blocks the event loop is the only suspect once the watchdog has looked', async () => {
  const all = await pushAround('blocks', 5000);
  const { running, pid } = await startWorker(project, ['--stop-when-empty']);
  await expect.poll(() => project.read('ran').includes('blocks')).toBe(true);
  const { announced, held } = await journalOf(
    pid,
    (journal) =>
      journal.announced.length === 0 &&
      journal.started.some(({ reserved, state }) => reserved.id === 'odd' && state === 'running'),
  );
  process.kill(pid, 'SIGKILL');
  expect(announced).toEqual([]);
  expect(held.map(({ id }) => id)).not.toContain('odd');
  const { code, lines } = await running.exited;
  expect(code).toBe(0);
  expect(died(lines, pid)).toMatchObject({ signal: 'SIGKILL', suspects: ['default odd'] });
  await expectNoneLost(lines, all); // it may block while the next are being reserved
  expect(new Set(quickRuns()).size).toBe(quickRuns().length);
});

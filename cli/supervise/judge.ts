import { constants } from 'node:os';
import type { Evidence } from './board.js';
import { blockerOf } from './due.js';
import type { Journal, StartRecord } from './journal.js';
import { type Left, suspectName, type Verdict } from './protocol.js';
import { handlerPart } from './stack.js';

/** How a worker process ended. */
export interface Death {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
  /** True where no job is to blame: it was asked to stop, or an error outside any handler ended it. */
  readonly blameless: boolean;
}

/** What to do with the jobs of a dead process. */
export interface Judgement {
  readonly left: readonly Left[];
  /** Jobs that may have killed it, by name: they run alone from now on. */
  readonly suspects: readonly string[];
  /** The jobs that are charged with the death, for the log. */
  readonly charged: readonly { readonly record: StartRecord; readonly message: string }[];
}

/**
 * Who is to blame for the death of a worker process, and what becomes of its jobs. Pure.
 *
 * - A job that blocked its event loop or called `process.exit()` is charged with an attempt; all others go back.
 * - Of any other death every running job is a suspect, and so is every one that may have run: it goes back with its
 *   attempt unspent, and runs alone next time. A suspect that dies alone is charged.
 *
 * @param suspects of earlier deaths, by name.
 */
export function judge(
  death: Death,
  evidence: Evidence | undefined,
  journal: Journal,
  suspects: ReadonlySet<string>,
): Judgement {
  const { pid } = death;
  const held = journal.held.map((reserved): Left => ({ reserved, pid, started: false, verdict: giveBack }));
  const ours = journal.started.filter(({ state }) => state !== 'settled');
  const running = ours.filter(({ state }) => state === 'running');
  const culprit = death.blameless ? undefined : findCulprit(evidence, journal, running, suspects);
  const charge = culprit && chargeOf(culprit, evidence, death);
  const left = ours.map((record): Left => {
    const { reserved, name, state } = record;
    if (state === 'done') return { reserved, pid, started: true, name, verdict: { action: 'delete' } };
    return { reserved, pid, started: true, name, verdict: record === culprit && charge ? charge : giveBack };
  });
  const { announced } = journal;
  const perhaps = announced.map((reserved): Left => ({ reserved, pid, started: true, verdict: giveBack }));
  const suspected = [...running.map(({ reserved }) => reserved), ...announced];
  return {
    left: [...left, ...perhaps, ...held],
    suspects: death.blameless || (culprit && evidence) ? [] : suspected.map(suspectName),
    charged: culprit && charge ? [{ record: culprit, message: charge.message }] : [],
  };
}

const giveBack: Verdict = { action: 'give-back' };

function findCulprit(
  evidence: Evidence | undefined,
  { started, announced }: Journal,
  running: readonly StartRecord[],
  suspects: ReadonlySet<string>,
): StartRecord | undefined {
  if (announced.length > 0) return undefined; // it may be one of them
  if (evidence) {
    const { record } = blockerOf(started, evidence.slot);
    if (record) return record;
  }
  const [only, ...others] = running;
  return only && others.length === 0 && suspects.has(suspectName(only.reserved)) ? only : undefined;
}

type Charge = Extract<Verdict, { action: 'charge' }>;

function chargeOf(record: StartRecord, evidence: Evidence | undefined, death: Death): Charge {
  const job = `job ${record.name} (${record.reserved.id})`;
  const elapsed = ((evidence?.atMs ?? death.atMs) - record.atMs) / 1000;
  const after = `after ${elapsed.toFixed(1)} s`;
  const stack = evidence?.stack === undefined ? '' : handlerPart(evidence.stack);
  if (evidence?.kind === 'blocked') {
    const where = evidence.stack === undefined ? 'in a native call' : 'in synchronous code';
    const message = `${job} blocked its event loop ${where} past its timeout of ${record.timeoutMs} ms; killed ${after}`;
    return { action: 'charge', reason: 'timed-out', message, stack };
  }
  if (evidence?.kind === 'exit') {
    const message = `the handler of ${job} called process.exit(${evidence.code}) ${after}`;
    return { action: 'charge', reason: 'crashed', message, stack };
  }
  const message = `${job} ran alone when its process ended with ${deathText(death)} ${after}`;
  return { action: 'charge', reason: 'crashed', message, stack };
}

/** How a process ended, such as `SIGABRT (exit code 134)`. */
function deathText({ code, signal }: Pick<Death, 'code' | 'signal'>): string {
  if (signal === null) return `exit code ${code}`;
  return `${signal} (exit code ${128 + constants.signals[signal]})`;
}

/** A sentence on a death for which no job could be charged, or not only one. Pure. */
export function diedOf(
  death: Pick<Death, 'code' | 'signal'>,
  evidence: Evidence | undefined,
  suspects: number,
): string {
  const next = suspects === 0 ? '' : '; the jobs under way are given back, and run alone next';
  if (evidence?.kind !== 'blocked') return `a worker process ended with ${deathText(death)}${next}`;
  const where = evidence.stack === undefined ? 'in a native call' : `at\n${handlerPart(evidence.stack)}\n`;
  return `a worker process was killed: its event loop was blocked past a timeout, ${where}${next}`;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BusyEvent, JobEvent, PushedEvent, WorkerEvent, WorkerFields } from '../../src/index.js';
import type { JobFields } from '../../src/logger.js';

/** `?` after the names of fields that may be absent. */
type Shown<E> = {
  [Key in keyof E]-?: Key extends string ? (undefined extends E[Key] ? `${Key}?` : Key) : never;
}[keyof E];

/** Each event with the fields that its type has beside those of its kind: tsc refuses a table that differs. */
type Fields<Event extends { event: string }, Common> = {
  readonly [E in Event as E['event']]: Record<Shown<Omit<E, keyof Common | 'event'>>, true>;
};

const ofJobs: Fields<JobEvent, JobFields> = {
  'job:started': { 'waitMs?': true },
  'job:exception': { durationMs: true, error: true },
  'job:timed-out': { durationMs: true, timeoutMs: true },
  'job:done': { durationMs: true },
  'job:kept': { durationMs: true },
  'job:released': { durationMs: true, delayMs: true, 'error?': true },
  'job:failed': { durationMs: true, reason: true, error: true },
  'job:given-back': { durationMs: true },
  'job:lost': { durationMs: true },
  'job:unsettled': { durationMs: true, error: true },
};

const ofWorkers: Fields<WorkerEvent, WorkerFields> = {
  'worker:started': { concurrency: true },
  'worker:idle': {},
  'worker:paused': { paused: true, maintenance: true },
  'worker:resumed': {},
  'worker:store-away': { waitMs: true, error: true },
  'worker:store-back': { awayMs: true },
  'worker:stopped': { reason: true, 'error?': true },
};

const ofQueues: Fields<BusyEvent | PushedEvent, object> = {
  'queue:pushed': { connection: true, queue: true, jobs: true },
  'queue:busy': {
    connection: true,
    queue: true,
    ready: true,
    delayed: true,
    reserved: true,
    'longestWaitMs?': true,
    max: true,
  },
};

const text = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

function sectionOf(heading: string): string {
  return text.split(/^## /m).find((section) => section.startsWith(heading)) ?? '';
}

function tableOf(heading: string): Record<string, string[]> {
  const rows = sectionOf(heading).matchAll(/^\| `([a-z:-]+)` \|([^|]*)\|/gm);
  const fieldsOf = (cell = '') => [...cell.matchAll(/`([\w?]+)`/g)].map(([, field]) => field as string);
  return Object.fromEntries([...rows].map(([, name, cell]) => [name, fieldsOf(cell)]));
}

test.each([
  ['Of jobs', ofJobs],
  ['Of workers', ofWorkers],
  ['Of queues', ofQueues],
])('docs/events.md, %s: every event of the type with its fields, and no other', (heading, events) => {
  const expected = Object.entries(events).map(([name, fields]) => [name, Object.keys(fields)]);
  expect(tableOf(heading)).toEqual(Object.fromEntries(expected));
});

test('docs/events.md names the fields that all events of a kind have', () => {
  const job: Record<keyof JobFields, true> = {
    id: true,
    name: true,
    queue: true,
    connection: true,
    attempts: true,
  };
  const worker: Record<keyof WorkerFields, true> = { pid: true, connection: true, queues: true };
  for (const name of Object.keys(job)) expect(sectionOf('Of jobs').split('|')[0]).toContain(`\`${name}\``);
  for (const name of Object.keys(worker))
    expect(sectionOf('Of workers').split('|')[0]).toContain(`\`${name}\``);
});

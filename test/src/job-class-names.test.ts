import { beforeEach, describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, type QueueConfig } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { recordEvents, workOff } from '../support/recorder.js';

const calls: unknown[][] = [];
beforeEach(() => {
  calls.length = 0;
});

/** A job in think-queue's style. */
class Dismiss {
  static made = 0;
  readonly number = 1;
  field = () => calls.push(['field']);

  fire(): void {
    calls.push(['fire']);
  }

  // Called with two arguments when a job of this class fails; never as a job.
  failed(...given: unknown[]): void {
    if (!(given[1] instanceof Error)) calls.push(['failed']);
  }

  _hidden(): void {
    calls.push(['_hidden']);
  }

  get getter(): () => void {
    return () => calls.push(['getter']);
  }

  static onClass(): void {
    calls.push(['onClass']);
  }
}

function setUp(jobs: QueueConfig['jobs']) {
  const driver = faulty(memory());
  const queue = createQueue({
    connections: { default: driver },
    ...(jobs && { jobs }),
    worker: { tries: 1, unknownJobPatience: 0 },
  });
  return { driver, queue, events: recordEvents(queue) };
}

describe('a method that a payload may not name fails as an unknown job', () => {
  test.each([
    'constructor',
    'failed',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    '_hidden',
    'getter',
    'field',
    'number',
    'onClass',
    'made',
    'nothing',
    'prototype',
  ])('Dismiss@%s', async (method) => {
    const { queue, events } = setUp({ Dismiss });
    await queue.push(`Dismiss@${method}`, { x: 1 });
    await workOff(queue);
    expect(calls).toEqual([]);
    expect(events.map((event) => event.event)).toEqual(['job:failed']);
    expect(await queue.failed.list()).toMatchObject([
      {
        reason: 'unknown-job',
        name: `Dismiss@${method}`,
        message: expect.stringContaining(`Dismiss@${method}`),
      },
    ]);
  });

  test('all but its tasks, where a class lists them', async () => {
    class Tasks {
      static readonly tasks = ['allowed'];
      allowed() {
        calls.push(['allowed']);
      }
      other() {
        calls.push(['other']);
      }
    }
    const { queue } = setUp({ Tasks });
    await queue.push('Tasks@allowed');
    await queue.push('Tasks@other');
    await queue.push('Tasks');
    await workOff(queue);
    expect(calls).toEqual([['allowed']]);
    // It has no fire() either: that is an unknown job, not one that breaks.
    expect((await queue.failed.list()).map((job) => [job.name, job.reason])).toEqual([
      ['Tasks', 'unknown-job'],
      ['Tasks@other', 'unknown-job'],
    ]);
  });
});

describe('a name from a payload is looked up and nothing else', () => {
  test.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'fs',
    'node:fs',
    'child_process@exec',
    'file:///tmp/evil.mjs',
    'data:text/javascript,globalThis.evil=1',
    './evil.js',
    '../evil.js',
    '/tmp/evil.mjs',
  ])('%s', async (name) => {
    const { queue, driver, events } = setUp({ Dismiss });
    const body = JSON.stringify({
      job: name,
      maxTries: null,
      timeout: null,
      data: null,
      id: 'x',
      attempts: 0,
    });
    await driver.store.push('default', [{ id: 'x', body }]);
    await workOff(queue);
    const [failed] = await queue.failed.list();
    expect(['unknown-job', 'bad-payload']).toContain(failed?.reason);
    expect(failed).toMatchObject({ payload: body, jobId: 'x', attempts: 1 });
    expect(events.map((event) => event.event)).toEqual(['job:failed']);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect((globalThis as { evil?: number }).evil).toBeUndefined();
  });
});

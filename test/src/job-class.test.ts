import { beforeEach, describe, expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type Job, type QueueConfig } from '../../src/index.js';
import { faulty } from '../support/faulty-driver.js';
import { recordEvents, workOff } from '../support/recorder.js';

const calls: unknown[][] = [];
beforeEach(() => {
  calls.length = 0;
});

class Base {
  inherited(_job: Job, data: unknown): void {
    calls.push(['inherited', data]);
  }
}

/** A job in think-queue's style. */
class Dismiss extends Base {
  static made = 0;
  readonly number = ++Dismiss.made;

  fire(job: Job, data: unknown): void {
    calls.push(['fire', job.name, data, this instanceof Dismiss]);
  }

  async task1(job: Job, data: unknown): Promise<void> {
    await Promise.resolve();
    calls.push(['task1', job.name, data]);
  }

  throws(): void {
    throw new Error('boom');
  }

  failed(data: unknown, error: unknown): void {
    calls.push(['failed', data, (error as Error).message]);
  }
}

function setUp(jobs: QueueConfig['jobs'], config: Partial<QueueConfig> = {}) {
  const driver = faulty(memory());
  const queue = createQueue({
    connections: { default: driver },
    ...(jobs && { jobs }),
    worker: { tries: 1, unknownJobPatience: 0 },
    ...config,
  });
  return { driver, queue, events: recordEvents(queue) };
}

describe('a job class', () => {
  test('runs fire, and a method that the payload names', async () => {
    const { queue } = setUp({ Dismiss });
    await queue.push(Dismiss, { by: 'class' });
    await queue.push('Dismiss', { by: 'name' });
    await queue.push('Dismiss@fire', { by: 'method' });
    await queue.push('Dismiss@task1', [1]);
    await workOff(queue);
    expect(calls).toEqual([
      ['fire', 'Dismiss', { by: 'class' }, true],
      ['fire', 'Dismiss', { by: 'name' }, true],
      ['fire', 'Dismiss@fire', { by: 'method' }, true],
      ['task1', 'Dismiss@task1', [1]],
    ]);
    expect(await queue.failed.list()).toEqual([]);
  });

  test('runs an inherited method only where its tasks name it', async () => {
    class Named extends Base {
      static tasks = ['inherited'];
    }
    const { queue } = setUp({ Dismiss, Named });
    await queue.push('Dismiss@inherited');
    await queue.push('Named@inherited', 1);
    await workOff(queue);
    expect(calls).toEqual([['inherited', 1]]);
    expect(await queue.failed.list()).toMatchObject([{ name: 'Dismiss@inherited', reason: 'unknown-job' }]);
  });

  test('has a new instance for each attempt, and none for a push', async () => {
    const { queue } = setUp({ Dismiss });
    Dismiss.made = 0;
    await queue.push(Dismiss, 1);
    await queue.push('Dismiss', 2);
    await queue.push('Dismiss@task1', 3);
    expect(Dismiss.made).toBe(0);
    await workOff(queue);
    expect(Dismiss.made).toBe(3);
  });

  test('has failed(data, error) called when it is given up', async () => {
    const { queue } = setUp({ Dismiss });
    await queue.push('Dismiss@throws', { x: 1 });
    await workOff(queue);
    expect(calls).toEqual([['failed', { x: 1 }, 'boom']]);
  });

  test('has its settings on the class', async () => {
    class Busy {
      static readonly queue = 'busy';
      static readonly tries = 2;
      static readonly backoff = 0;
      static readonly jobName = 'app.busy';
      fire(job: Job): void {
        calls.push([job.queue, job.attempts()]);
        throw new Error('boom');
      }
    }
    const { queue } = setUp([Busy]);
    expect(queue.jobNames).toEqual(['app.busy']);
    await queue.push(Busy, null);
    await workOff(queue, { queues: ['busy'] });
    expect(calls).toEqual([
      ['busy', 1],
      ['busy', 2],
    ]);
    expect(await queue.failed.list()).toMatchObject([{ name: 'app.busy', attempts: 2, reason: 'max-tries' }]);
  });

  test.each<[string, object, string]>([
    ['tries', { tries: 1.5 }, 'E_CONFIG'],
    ['queue', { queue: 'a b' }, 'E_QUEUE_NAME'],
    ['timeout', { timeout: 'x' }, 'E_DURATION'],
    ['jobName', { jobName: 'a b' }, 'E_JOB_NAME'],
  ])('with a bad %s is refused when the queue is made', (_, statics, code) => {
    const bad = Object.assign(
      class {
        fire() {}
      },
      statics,
    );
    expect(() => setUp({ Bad: bad })).toThrow(expect.objectContaining({ code }));
  });
});

describe('the name of a class', () => {
  class First {
    fire() {}
  }
  class Second {
    static readonly jobName = 'second';
    fire() {}
  }

  test('is its jobName, else the key that it is listed under', () => {
    expect(setUp({ One: First, Two: Second }).queue.jobNames).toEqual(['One', 'second']);
  });

  test('is never that of the code, which a minifier changes', () => {
    expect(() => setUp([First])).toThrow(
      expect.objectContaining({ code: 'E_JOB_NAME', fix: expect.stringContaining('jobName') }),
    );
  });

  test('belongs to one job', () => {
    const definition = defineJob({ name: 'One', handle() {} });
    const same = { code: 'E_JOB_DUPLICATE', message: expect.stringContaining('One') };
    expect(() => setUp({ One: First, definition })).toThrow(expect.objectContaining(same));
    expect(() => setUp({ definition, again: defineJob({ name: 'One', handle() {} }) })).toThrow(
      expect.objectContaining(same),
    );
    expect(setUp({ definition, again: definition, One: definition }).queue.jobNames).toEqual(['One']);
  });

  test.each<[string, unknown]>([
    ['a plain object', { name: 'x', handle() {} }],
    ['a function', () => {}],
    ['a class without fire', class {}],
    ['null', null],
    ['a number', 1],
  ])('cannot be given to %s', (_, source) => {
    expect(() => setUp({ x: source as never })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

describe('a constructor that throws', () => {
  let broken = true;
  class Fragile {
    static readonly jobName = 'fragile';
    static readonly tries = 2;
    static readonly backoff = 0;
    constructor() {
      if (broken) throw new Error('no database');
    }
    fire() {
      calls.push(['fire']);
    }
  }

  test('is a failed attempt: the job is tried again', async () => {
    broken = true;
    const { queue, driver, events } = setUp([Fragile], { worker: { tries: 3, backoff: 0 } });
    const body = '{"job":"fragile","maxTries":null,"timeout":null,"data":1,"id":"x","attempts":0}';
    await driver.store.push('default', [{ id: 'x', body }]);
    await queue.worker({ once: true }).run();
    expect(events.at(-1)).toMatchObject({ event: 'job:released', error: { message: 'no database' } });
    broken = false;
    await workOff(queue);
    expect(calls).toEqual([['fire']]);
  });

  test('leaves the settings of its class in force', async () => {
    broken = true;
    const { queue, driver } = setUp([Fragile], { worker: { tries: 5, backoff: 0 } });
    const body = '{"job":"fragile","maxTries":null,"timeout":null,"data":1,"id":"x","attempts":0}';
    await driver.store.push('default', [{ id: 'x', body }]);
    await workOff(queue);
    expect(await queue.failed.list()).toMatchObject([
      { attempts: 2, reason: 'max-tries', message: 'no database' },
    ]);
  });

  test('does not keep the job from being pushed', async () => {
    broken = true;
    const { queue } = setUp([Fragile]);
    await expect(queue.push(Fragile, 1)).resolves.toEqual(expect.any(String));
    await expect(queue.push('fragile', 1)).resolves.toEqual(expect.any(String));
  });
});

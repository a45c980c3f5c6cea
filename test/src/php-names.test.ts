import { expect, test } from 'vitest';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type NameRule, type PhpNamesOptions, phpNames } from '../../src/index.js';
import { recordingLogger, workOff } from '../support/recorder.js';

const laravel = { namespace: '\\App\\Jobs\\' };

test.each<[PhpNamesOptions | undefined, string, string[]]>([
  // think-queue 3: without a backslash, in the application's namespace, in studly caps.
  [undefined, 'demo_job', ['app\\job\\DemoJob', 'DemoJob', 'demo_job']],
  [undefined, 'demo-job', ['app\\job\\DemoJob', 'DemoJob', 'demo_job']],
  [undefined, 'DemoJob', ['app\\job\\DemoJob', 'DemoJob', 'demo_job']],
  [undefined, 'app\\job\\DemoJob', ['app\\job\\DemoJob', 'DemoJob', 'demo_job']],
  [undefined, '\\app\\job\\DemoJob', ['app\\job\\DemoJob', 'DemoJob', 'demo_job']],
  [undefined, 'x', ['app\\job\\X', 'X', 'x']],
  // Methods go with the name; fire is the one that is meant without.
  [undefined, 'demo@task1', ['app\\job\\Demo@task1', 'Demo@task1', 'demo@task1']],
  [undefined, 'app\\job\\Demo@fire', ['app\\job\\Demo', 'Demo', 'demo']],
  // think-queue 1: module/Name, the module in lower case and the name as it is.
  [undefined, 'Shop/Demo', ['app\\shop\\job\\Demo', 'shop/Demo']],
  [undefined, 'shop/demo_job@task1', ['app\\shop\\job\\demo_job@task1', 'shop/demo_job@task1']],
  [undefined, 'app\\shop\\job\\Demo', ['app\\shop\\job\\Demo', 'shop/Demo']],
  [{ namespace: 'jobs' }, 'Shop/Demo', ['shop\\jobs\\Demo', 'shop/Demo']],
  [{ namespace: 'jobs' }, 'demo', ['jobs\\Demo', 'Demo', 'demo']],
  // Other classes have but their own name.
  [undefined, 'app\\job\\sub\\Demo', ['app\\job\\sub\\Demo']],
  [undefined, 'app\\jobs\\Demo', ['app\\jobs\\Demo']],
  [undefined, 'App\\Jobs\\SendMail', ['App\\Jobs\\SendMail']],
  [laravel, 'App\\Jobs\\SendMail', ['App\\Jobs\\SendMail', 'SendMail', 'send_mail']],
  [
    laravel,
    'App\\Jobs\\SendMail@handle',
    ['App\\Jobs\\SendMail', 'SendMail', 'send_mail'].map((name) => `${name}@handle`),
  ],
])('with %j, %s asks for %j', (options, name, names) => {
  expect(phpNames(options)(name)).toEqual(names);
});

test.each<[unknown, string]>([
  [null, 'phpNames: null is not an object of options'],
  [{ prefix: 'a' }, 'phpNames: there is no option prefix'],
  [{ namespace: 'app/job' }, "phpNames: namespace: 'app/job' is no namespace of PHP"],
  [{ namespace: '' }, "phpNames: namespace: '' is no namespace of PHP"],
  [{ namespace: 1 }, 'phpNames: namespace: 1 is no namespace of PHP'],
])('%j is refused', (options, message) => {
  expect(() => phpNames(options as never)).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }));
});

class Demo {
  fire(): void {
    ran.push('fire');
  }

  task1(): void {
    ran.push('task1');
  }

  _own(): void {
    ran.push('_own');
  }
}

const ran: string[] = [];

function setUp(names?: NameRule) {
  ran.length = 0;
  const driver = memory();
  const logger = recordingLogger();
  const mail = defineJob({ name: 'mail.send', queue: 'mail', tries: 7, handle: () => void ran.push('mail') });
  const queue = createQueue({
    connections: { default: driver },
    jobs: { 'app\\job\\Demo': Demo, mail },
    logger,
    worker: { tries: 1, unknownJobPatience: 0 },
    ...(names && { names }),
  });
  const run = async (...wireNames: string[]) => {
    for (const name of wireNames) await queue.push(name, null, { queue: 'default' });
    await workOff(queue);
    return ran.splice(0);
  };
  return { queue, logger, run };
}

test('each name that PHP has for a class runs it, and its methods if they may be named', async () => {
  const { queue, run } = setUp(phpNames());
  expect(await run('app\\job\\Demo', 'Demo', 'demo', '\\app\\job\\Demo', 'demo@fire')).toEqual(
    Array(5).fill('fire'),
  );
  expect(await run('app\\job\\Demo@task1', 'demo@task1')).toEqual(['task1', 'task1']);
  expect(await queue.failed.list()).toEqual([]);
  expect(
    await run('demo@_own', 'demo@constructor', 'demo@failed', 'demo@toString', 'app\\other\\Demo'),
  ).toEqual([]);
  const failed = await queue.failed.list();
  expect(failed.map(({ reason }) => reason)).toEqual(Array(5).fill('unknown-job'));
  expect(queue.hasJob('demo@task1')).toBe(true);
  expect(queue.hasJob('demo@_own')).toBe(false);
});

test('without a rule a name means what is registered under it, and nothing else', async () => {
  const { queue, run } = setUp();
  expect(await run('app\\job\\Demo', 'Demo', 'demo')).toEqual(['fire']);
  expect(await queue.failed.list()).toHaveLength(2);
});

test('a rule of the application maps names to any job, whose settings hold for pushes by such a name', async () => {
  const { queue, run } = setUp((name) => (name === 'App\\Jobs\\SendMail' ? 'mail.send' : undefined));
  expect(await run('App\\Jobs\\SendMail', 'mail.send')).toEqual(['mail', 'mail']);
  await queue.push('App\\Jobs\\SendMail');
  expect(await queue.size('mail')).toMatchObject({ ready: 1 });
  const [{ payload } = { payload: null }] = await queue.list({ queue: 'mail' });
  expect(JSON.parse(payload ?? '')).toMatchObject({ job: 'App\\Jobs\\SendMail' });
});

test('a registered name goes before the rule, which is asked once for each other name', async () => {
  const asked: string[] = [];
  const { run } = setUp((name) => {
    asked.push(name);
    return 'mail.send';
  });
  expect(await run('app\\job\\Demo', 'a', 'a', 'b', 'app\\job\\Demo@task1')).toEqual([
    'fire',
    'mail',
    'mail',
    'mail',
    'task1',
  ]);
  expect(asked).toEqual(['a', 'b']);
});

test('names that others make up do not fill the memory', async () => {
  let asked = 0;
  const { queue } = setUp(() => {
    asked += 1;
    return undefined;
  });
  for (let number = 0; number < 1001; number++) queue.hasJob(`a${number}`);
  queue.hasJob('a1000');
  expect(asked).toBe(1001);
  queue.hasJob('a0');
  expect(asked).toBe(1002);
});

test('a rule that throws or answers no name is told of, and the job is unknown', async () => {
  const { queue, logger, run } = setUp((name) => {
    if (name === 'a') throw new Error('out of order');
    return 1 as never;
  });
  expect(await run('a', 'b')).toEqual([]);
  expect(await queue.failed.list()).toMatchObject([{ reason: 'unknown-job' }, { reason: 'unknown-job' }]);
  const warned = logger.lines.filter(({ message }) => message === 'the rule for names failed');
  expect(warned).toMatchObject([{ fields: { name: 'a' } }, { fields: { name: 'b' } }]);
});

test('what is no function is no rule', () => {
  const make = () => createQueue({ connections: { default: memory() }, names: 'app\\job' as never });
  expect(make).toThrow(
    expect.objectContaining({ code: 'E_CONFIG', message: "names: 'app\\\\job' is not a function" }),
  );
});

test('a job that is first pushed after a look at its name is found', async () => {
  const { queue } = setUp((name) => name.replace('php.', ''));
  expect(queue.hasJob('php.late')).toBe(false);
  await queue.push(defineJob({ name: 'late', handle: () => {} }));
  expect(queue.hasJob('php.late')).toBe(true);
});

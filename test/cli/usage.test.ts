import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseOldNode } from '../../cli/node-version.js';
import type { CliProject } from '../support/cli.js';
import { sqliteProject } from './project.js';

let project: CliProject;

beforeAll(() => {
  project = sqliteProject();
});

afterAll(() => project.remove());

const names = [
  'work',
  'listen',
  'restart',
  'pause',
  'resume',
  'workers',
  'push',
  'size',
  'monitor',
  'doctor',
  'clear',
  'migrate',
  'table',
  'failed',
  'retry',
  'forget',
  'flush',
];

describe('help', () => {
  test('lists every command', async () => {
    const { code, stdout } = await project.run('--help');
    expect(code).toBe(0);
    for (const name of ['init', 'make:job', 'make:consumer', ...names.map((short) => `queue:${short}`)])
      expect(stdout).toContain(`drover ${name}`);
  });

  test.concurrent.each(names)('queue:%s has the same help with and without its prefix', async (name) => {
    const [full, short] = await Promise.all([
      project.run(`queue:${name}`, '--help'),
      project.run(name, '--help'),
    ]);
    expect(full.code).toBe(0);
    expect(full.stdout).toMatch(/Examples:.*Exit codes:\s+0 /s);
    expect(short.stdout).toBe(full.stdout);
  });

  test('no command at all: the help on stderr, exit 2', async () => {
    const { code, stdout, stderr } = await project.run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('queue:work');
  });

  test('--version', async () => {
    expect((await project.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('what was typed wrong exits with 2 and says what was meant', () => {
  test.concurrent.each<[args: string[], says: string[]]>([
    [['queue:wrk'], ['there is no command queue:wrk', 'Did you mean drover queue:work?']],
    [['sise'], ['there is no command sise', 'Did you mean drover size?']],
    [['zzzzzzzz'], ['there is no command zzzzzzzz', 'The commands are init, make:job']],
    [['--config', 'x', 'lisen'], ['there is no command lisen']],
    [
      ['work', '--concurency', '3'],
      ['queue:work has no flag --concurency', 'Did you mean --concurrency?'],
    ],
    [['work', '-q', 'a'], ['queue:work has no flag -q']],
    [['size', '--once'], ['queue:size has no flag --once']],
    [['work', 'main', 'other'], ['other is one word too many']],
    [['retry'], ['queue:retry needs <id..>']],
    [['push'], ['queue:push needs <name>', 'Usage: drover queue:push <name>']],
    [
      ['push', 'ok', '{"name":"x"}'],
      ['{"name":"x"} is one word too many', `fix: Did you mean --data '{"name":"x"}'?`],
    ],
    [
      ['push', 'ok', `["it's"]`],
      ['is one word too many', "fix: Did you mean --data '…'?"],
    ],
    [
      ['push', 'ok', '{name:x}'],
      ['is one word too many', 'fix: Usage: drover'],
    ],
    [
      ['work', '--concurrency', 'abc'],
      [
        "--concurrency: 'abc' is not a whole number from 1 up",
        'fix: Write a whole number, such as --concurrency 3.',
      ],
    ],
    [
      ['work', '--backoff', '1s,,2s'],
      ['--backoff has an empty time span in its list', 'fix: Write time spans with commas: 1s,10s,1m.'],
    ],
    [['work', '--concurrency', '0'], ['--concurrency']],
    [['work', '--tries', '-1'], ['--tries']],
    [['work', '--max-jobs', '1.5'], ['--max-jobs']],
    [['work', '--memory'], ['--memory needs a value']],
    [['work', '--queue', '--once'], ['--queue needs a value']],
    [['work', '--queue', 'a', '--queue', 'b'], ['--queue is given twice']],
    [['work', '--queue', 'a,,b'], ['--queue has an empty name']],
    [
      ['work', '--queue', 'a b'],
      ['E_QUEUE_NAME', 'a b'],
    ],
    [
      ['work', '--timeout', 'soon'],
      ['E_DURATION', "--timeout: 'soon' is not a time span"],
    ],
    [
      ['work', '--backoff', '1s,x'],
      ['E_DURATION', "--backoff: 'x'"],
    ],
    [['work', '--backoff', '1', '--delay', '2'], ['--backoff and --delay']],
    [['work', '--daemon', '--once'], ['--daemon and --once exclude each other']],
    [['work', '--once=maybe'], ['--once takes no value']],
    [
      ['work', '--timeout', '100'],
      ['E_LEASE_TOO_SHORT', '90 s', '100 s'],
    ],
    [
      ['listen', '--timeout', '100'],
      ['E_LEASE_TOO_SHORT', '90 s', '100 s'],
    ],
    [['work', 'sync'], ['E_INLINE_CONNECTION']],
    [['listen', 'sync'], ['E_INLINE_CONNECTION']],
    [
      ['work', 'mian'],
      ['E_CONNECTION_UNKNOWN', 'mian', 'Did you mean main?'],
    ],
    [
      ['size', '--connection', 'nope'],
      ['E_CONNECTION_UNKNOWN', 'nope'],
    ],
    [['restart', 'sync'], ['E_UNSUPPORTED']],
    [
      ['size', '--config', 'nowhere.mjs'],
      ['E_CONFIG', 'nowhere.mjs'],
    ],
    [['failed', 'some-id', '--limit', '3'], ['--limit makes no sense beside an id']],
    [['flush', '--hours', 'x', '--force'], ['--hours']],
    [['make:job', 'a', '--ts', '--js'], ['--ts and --js exclude each other']],
    [['init', '--ts', '--js'], ['--ts and --js exclude each other']],
  ])('drover %j', async (args, says) => {
    const { code, stdout, stderr } = await project.run(...args);
    for (const text of says) expect(stderr).toContain(text);
    expect(stderr).toMatch(/^error E_[A-Z_]+: /);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('with --json the error is one object on stderr', async () => {
    const { code, stdout, stderr } = await project.run('work', '--concurency', '3', '--json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      event: 'error',
      code: 'E_USAGE',
      message: 'queue:work has no flag --concurency',
      fix: 'Did you mean --concurrency?',
    });
  });
});

test.each([
  ['20.19.0', undefined],
  ['20.20.2', undefined],
  ['22.1.0', undefined],
  ['20.18.3', 'drover needs Node 20.19 or newer; this is Node 20.18.3.'],
  ['18.20.0', 'this is Node 18.20.0'],
])('Node %s', (version, says) => {
  const refusal = refuseOldNode(version);
  if (says === undefined) expect(refusal).toBeUndefined();
  else expect(refusal).toContain(says);
});

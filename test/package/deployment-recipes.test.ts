import { createRequire } from 'node:module';
import { afterEach, describe, expect, test } from 'vitest';
import { checkWorkerOptions } from '../../src/index.js';
import { CliProject } from '../support/cli.js';
import { readDocument } from '../support/examples.js';

const recipe = /<!-- recipe: (\S+) -->\n```\w+\n([\s\S]*?)```/g;
const recipes = new Map(
  [...readDocument('docs/deployment.md').matchAll(recipe)].map(([, name = '', text = '']) => [name, text]),
);

const textOf = (name: string) => recipes.get(name) ?? '';

/** The settings of a file in INI form: each line is a section, a remark, empty or `key=value`. */
function settingsOf(name: string): Record<string, string> {
  const lines = textOf(name).split('\n');
  const odd = lines.filter((line) => !/^(?:\[\S+\]|[#;].*|\w+=\S.*|)$/.test(line));
  expect(odd).toEqual([]);
  return Object.fromEntries(
    lines.flatMap((line) => [/^(\w+)=(.*)$/.exec(line)?.slice(1) ?? []]).filter(isPair),
  );
}

const isPair = (found: string[]): found is [string, string] => found.length === 2;

/** The one value that a pattern finds. */
function valueIn(name: string, pattern: RegExp): string {
  const found = [...textOf(name).matchAll(new RegExp(pattern, 'gm'))];
  expect(found, `${pattern} in ${name}`).toHaveLength(1);
  return found[0]?.[1] ?? '';
}

const unit = settingsOf('drover.service');
const program = settingsOf('drover.conf');

interface Pm2App {
  readonly script: string;
  readonly args: string;
  readonly [option: string]: unknown;
}

let project: CliProject | undefined;

afterEach(async () => {
  await project?.remove();
  project = undefined;
});

/** PM2's file, read as PM2 does. */
function readPm2(): Pm2App {
  const own = new CliProject({ 'ecosystem.config.cjs': textOf('ecosystem.config.cjs') });
  project = own;
  const path = own.path('ecosystem.config.cjs');
  return (createRequire(path)(path) as { apps: [Pm2App] }).apps[0];
}

/** The words of a list in YAML or JSON. */
const wordsIn = (list: string) => list.split(',').map((word) => word.trim().replace(/^"(.*)"$/, '$1'));

function commands(): Record<string, string> {
  const { script, args } = readPm2();
  return {
    systemd: unit.ExecStart ?? '',
    Supervisor: program.command ?? '',
    PM2: `node ${script} ${args}`,
    Docker: wordsIn(valueIn('Dockerfile', /^CMD \[(.*)\]$/)).join(' '),
    Kubernetes: wordsIn(valueIn('deployment.yaml', /^ *args: \[(.*)\]$/)).join(' '),
  };
}

test('all recipes are there', () => {
  expect([...recipes.keys()]).toEqual([
    'drover.service',
    'drover.conf',
    'ecosystem.config.cjs',
    'Dockerfile',
    'compose.yaml',
    'deployment.yaml',
  ]);
});

describe('the time to stop', () => {
  const { shutdownTimeoutMs, graceMs } = checkWorkerOptions(
    {},
    { name: '', queue: 'default', leaseMs: Number.POSITIVE_INFINITY },
  );
  // A process that does not answer after its time is killed within a second; the rest is for the store.
  const leastMs = shutdownTimeoutMs + graceMs + 5000;

  test.each([
    ['systemd', () => Number(unit.TimeoutStopSec) * 1000],
    ['Supervisor', () => Number(program.stopwaitsecs) * 1000],
    ['PM2', () => Number(readPm2().kill_timeout)],
    ['Docker', () => Number(valueIn('compose.yaml', /^ *stop_grace_period: (\d+)s$/)) * 1000],
    [
      'Kubernetes',
      () => Number(valueIn('deployment.yaml', /^ *terminationGracePeriodSeconds: (\d+)$/)) * 1000,
    ],
  ])('of %s is longer than a worker may take', (_, timeMs) => {
    expect(timeMs()).toBeGreaterThanOrEqual(leastMs);
  });
});

test('probes ask the port that the worker answers on, and wait longer than a handler may block it', () => {
  const text = textOf('deployment.yaml');
  const port = valueIn('deployment.yaml', /--metrics-port, "(\d+)"/);
  expect(valueIn('deployment.yaml', /name: metrics, containerPort: (\d+)/)).toBe(port);
  expect(text).toContain('--metrics-host, 0.0.0.0'); // kubelet comes from outside of the pod
  const probes = [...text.matchAll(/(\w+)Probe:\n *httpGet: \{ path: (\S+), port: metrics \}/g)];
  expect(probes.map(([, kind, path]) => `${kind} ${path}`)).toEqual([
    'startup /healthz',
    'liveness /healthz',
    'readiness /readyz',
  ]);
  const [, liveness = ''] = /livenessProbe:\n([\s\S]*?)readinessProbe/.exec(text) ?? [];
  const number = (key: string) => Number(new RegExp(`${key}: (\\d+)`).exec(liveness)?.[1]);
  const noLease = { name: '', queue: 'default', leaseMs: Number.POSITIVE_INFINITY };
  const { timeoutMs, graceMs } = checkWorkerOptions({}, noLease);
  expect(number('periodSeconds') * number('failureThreshold') * 1000).toBeGreaterThan(
    timeoutMs + graceMs + 5000,
  );
});

test('each asks the supervisor alone to stop, and starts it again after a restart but not after a bad config', () => {
  expect(unit).toMatchObject({ KillSignal: 'SIGTERM', KillMode: 'mixed' });
  expect(unit).toMatchObject({ Restart: 'always', RestartPreventExitStatus: '2', OOMPolicy: 'continue' });
  expect(program).toMatchObject({ stopsignal: 'TERM', autorestart: 'unexpected', exitcodes: '2' });
  expect(readPm2()).toMatchObject({
    autorestart: true,
    stop_exit_codes: [2],
    treekill: false,
    exec_mode: 'fork',
  });
  expect(textOf('Dockerfile')).toContain('\nSTOPSIGNAL SIGTERM\n');
  expect(valueIn('compose.yaml', /^ *restart: (.*)$/)).toBe('unless-stopped');
  expect(valueIn('compose.yaml', /^ *stop_signal: (.*)$/)).toBe('SIGTERM');
});

test('the memory that they give is enough for what --memory lets the workers have', () => {
  const { systemd = '', Docker = '', Kubernetes = '' } = commands();
  const needMiB = (command: string) => {
    const number = (flag: string) => Number(new RegExp(`--${flag} (\\d+)`).exec(command)?.[1] ?? 1);
    return 50 + number('workers') * number('memory');
  };
  expect(unit.MemoryMax).toBe('1G');
  expect(needMiB(systemd)).toBeLessThan(1024);
  expect(valueIn('compose.yaml', /^ *mem_limit: (.*)$/)).toBe('1g');
  expect(needMiB(Docker)).toBeLessThan(1024);
  expect(needMiB(Kubernetes)).toBeLessThan(
    Number(valueIn('deployment.yaml', /limits: \{ memory: (\d+)Mi \}$/)),
  );
});

test('their commands work until SIGTERM, and a queue:restart ends them with 0', async () => {
  const lines = [...new Set(Object.values(commands()).map((line) => line.replace(/^\S*\bnode /, '')))];
  await project?.remove();
  project = new CliProject({
    'drover.config.mjs': `
      import { defineJob } from 'drover';
      import { database } from 'drover/drivers/database';
      const url = 'sqlite://' + import.meta.dirname + '/queue.sqlite';
      export default { connections: { main: database(url) }, jobs: [defineJob({ name: 'j', handle() {} })] };`,
  });
  const bin = 'node_modules/drover/dist/cli/bin.cjs ';
  expect(lines.filter((line) => !line.startsWith(bin))).toEqual([]);
  for (const [index, line] of lines.entries()) {
    const words = line
      .slice(bin.length)
      .replace(/--metrics-port \d+/, '--metrics-port 0')
      .split(' ');
    const running = project.start([...words, '--json']);
    await running.linesOf({ event: 'worker:started' }, line.includes('--workers 2') ? 2 : 1);
    if (index === 0) await project.must('queue:restart');
    else running.kill('SIGTERM');
    expect(await running.exited).toMatchObject({ code: 0 });
  }
  expect(lines).toHaveLength(2);
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliProject, isAlive } from '../support/cli.js';
import { faultyProject } from './supervisor-project.js';

let project: CliProject;

beforeEach(() => {
  project = faultyProject("timeout: '60s'");
});

afterEach(() => project.remove());

const ownNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = spawnSync('unshare', [...ownNamespace.slice(1), 'true']).status === 0;

/** The processes that a process has started, by its pid. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

describe.skipIf(!canUnshare)('as PID 1 of a container (needs unshare, and root)', () => {
  async function startAsInit() {
    const running = project.start(['queue:work', '--json'], { through: ownNamespace });
    await running.line({ event: 'worker:started' });
    const [init = 0] = childrenOf(running.process.pid ?? 0);
    expect(readFileSync(`/proc/${init}/status`, 'utf8')).toMatch(/^NSpid:\s+\d+\s+1$/m);
    return { running, init };
  }

  test('SIGTERM lets the running job end: exit 0', async () => {
    await project.push('waits', null, { id: 'under-way' });
    const { running, init } = await startAsInit();
    await running.line({ event: 'job:started', id: 'under-way' });
    process.kill(init, 'SIGTERM');
    await running.says('SIGTERM: no new jobs');
    project.write('go', '');
    const { code, lines } = await running.exited;
    expect(code).toBe(0);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'job:done', id: 'under-way', attempts: 1 }),
    );
  });

  test('a killed worker process is replaced, and leaves no zombie', async () => {
    const { running, init } = await startAsInit();
    const [worker = 0] = childrenOf(init);
    process.kill(worker, 'SIGKILL');
    await running.line({ event: 'worker:replaced' });
    expect(childrenOf(init)).not.toContain(worker);
    process.kill(init, 'SIGTERM');
    expect((await running.exited).code).toBe(0);
  });
});

describe('under npm', () => {
  /** Starts a script of package.json by npm, and answers once it works, with the pids of the supervisor and its worker. */
  async function startByNpm(script: string) {
    project.write('package.json', JSON.stringify({ private: true, scripts: { work: script } }));
    const npm = spawn('npm', ['run', 'work'], {
      cwd: project.directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    // Read to the end: a worker whose output nobody reads stops by itself.
    const started = new Promise<void>((resolve) => {
      npm.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('worker:started')) resolve();
      });
    });
    await started;
    const worker = Number(/"worker:started","pid":(\d+)/.exec(said)?.[1]);
    const [, ppid] = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8')) ?? [];
    project.write('pids', `${ppid}\n${worker}\n`);
    return { npm, exited: once(npm, 'exit'), supervisor: Number(ppid), worker };
  }

  const work = `"${process.execPath}" "${join(import.meta.dirname, '../../dist/cli/bin.cjs')}" queue:work --json`;

  test('with exec in the script, SIGTERM of npm ends the worker in order: exit 0', async () => {
    const { npm, exited, supervisor, worker } = await startByNpm(`exec ${work}`);
    npm.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect([supervisor, worker].filter(isAlive)).toEqual([]);
  });

  test('without it, SIGTERM may end npm and its shell alone: the worker is to be signalled itself', async () => {
    const { npm, exited, supervisor, worker } = await startByNpm(work);
    npm.kill('SIGTERM');
    await exited;
    if (isAlive(supervisor)) process.kill(supervisor, 'SIGTERM'); // where the shell has not put it in its place
    await expect.poll(() => [supervisor, worker].filter(isAlive)).toEqual([]);
  });
});

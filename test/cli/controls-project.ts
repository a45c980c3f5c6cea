import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkerInfo } from '../../src/index.js';
import { CliProject, type RunningCli } from '../support/cli.js';

const root = join(import.meta.dirname, '../..');

const jobsText = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

export const quick = defineJob({ name: 'quick', handle: () => sleep(1) });
/** Ends when the file go is there. */
export const waits = defineJob({
  name: 'waits',
  async handle() {
    while (!existsSync('go')) await sleep(10);
  },
});
`;

/** A project on one store whose workers say often that they live, and that is in maintenance while a file is there. */
export function controlsProject(redisUrl?: string): CliProject {
  const [driver, module] =
    redisUrl === undefined
      ? ["database({ url: 'sqlite://' + import.meta.dirname + '/queue.sqlite' })", 'database']
      : [`redis('${redisUrl}')`, 'redis'];
  const project = new CliProject({
    'drover.config.mjs': `
      import { existsSync } from 'node:fs';
      import { ${module} } from 'drover/drivers/${module}';
      export default {
        connections: { default: ${driver} },
        jobs: ['./jobs/*.mjs'],
        maintenance: () => existsSync('down'),
        worker: { heartbeat: '300ms' },
      };`,
    'jobs/jobs.mjs': jobsText,
  });
  symlinkSync(join(root, 'node_modules/ioredis'), project.path('node_modules/ioredis'));
  return project;
}

/** Starts a worker in one process of its own, and resolves once it works. */
export async function startOne(project: CliProject, ...flags: string[]): Promise<RunningCli> {
  const running = project.start(['work', '--json', '--workers=0', ...flags]);
  await running.line({ event: 'worker:started' });
  return running;
}

/** The workers that the store lists, once they are as wanted. */
export async function workersWhen(
  project: CliProject,
  wanted: (workers: readonly WorkerInfo[]) => boolean,
): Promise<readonly WorkerInfo[]> {
  const queue = await project.queue();
  for (;;) {
    const workers = await queue.workers();
    if (wanted(workers)) return workers;
    await pause(20);
  }
}

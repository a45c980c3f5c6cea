import { CliProject } from '../support/cli.js';

/** A config with one SQLite connection and the jobs below; `extra` stands beside the connections. */
export function configText(extra = '', connection = "lease: '90s'"): string {
  return `
import { defineConfig } from 'drover/config';
import { database } from 'drover/drivers/database';
import { memory } from 'drover/drivers/memory';
import { sync } from 'drover/drivers/sync';

export default defineConfig({
  default: 'main',
  connections: {
    main: database({ url: 'sqlite://' + import.meta.dirname + '/queue.sqlite', ${connection} }),
    sync: sync(),
    memory: memory(),
  },
  jobs: ['./jobs/*.mjs'],
  ${extra}
});
`;
}

/** Jobs whose behaviour their data and the files of the project decide. */
const jobsText = `
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from 'drover';

const until = async (file) => {
  while (!existsSync(file)) await sleep(10);
};

export const ok = defineJob({ name: 'ok', handle: ({ data }) => appendFileSync(new URL('../ran', import.meta.url), JSON.stringify(data) + '\\n') });

export const mail = defineJob({ name: 'mail.send', queue: 'mail', handle: () => {} });

export const fail = defineJob({
  name: 'fail',
  handle({ data }) {
    const error = new TypeError(data?.message ?? 'no such luck', { cause: new Error('the root') });
    throw data?.code ? Object.assign(error, { code: data.code }) : error;
  },
});

/** Ends when the file go is there. */
export const waits = defineJob({ name: 'waits', handle: () => until('go') });

/** Goes on whatever its signal says. */
export const stubborn = defineJob({ name: 'stubborn', handle: () => sleep(600_000) });

export const heeds = defineJob({ name: 'heeds', handle: ({ signal }) => sleep(600_000, undefined, { signal }) });

/** Blocks the event loop for good, with a process of its own beside it. */
export const spins = defineJob({
  name: 'spins',
  async handle() {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    appendFileSync('pids', process.pid + '\\n' + other.pid + '\\n');
    await sleep(50);
    for (;;);
  },
});

/** Leaves a promise without a catch, and ends when the file go is there. */
export const stray = defineJob({
  name: 'stray',
  async handle() {
    void Promise.reject(new Error('nobody waits for me'));
    await until('go');
  },
});

export const prints = defineJob({ name: 'prints', handle: () => console.log('{"event":"not one of ours"}') });

export const grows = defineJob({
  name: 'grows',
  handle() {
    globalThis.kept = Buffer.alloc(300 * 1024 * 1024, 1);
  },
});
`;

/** A project with the config and the jobs above. */
export function sqliteProject(extra = '', connection?: string): CliProject {
  return new CliProject({ 'drover.config.mjs': configText(extra, connection), 'jobs/jobs.mjs': jobsText });
}

import type { CommandEntry } from '../command.js';

/** All commands, in the order of the help. Each is loaded when it is called, so that none waits for the others. */
export const commands: readonly CommandEntry[] = [
  {
    usage: 'init',
    summary: 'Write a config and a first job into this folder',
    load: () => import('./init.js'),
  },
  {
    usage: 'queue:work [connection]',
    summary: 'Run jobs, one process for many jobs',
    load: () => import('./work-command.js'),
  },
  {
    usage: 'queue:listen [connection]',
    summary: 'Run each job in a fresh process, with the code as it is then',
    load: () => import('./listen.js'),
  },
  {
    usage: 'queue:restart [connection]',
    summary: 'Ask workers to finish their jobs and exit',
    load: () => import('./restart.js'),
  },
  { usage: 'queue:push <name>', summary: 'Push a job', load: () => import('./push.js') },
  { usage: 'queue:size [queue..]', summary: 'Count the jobs of queues', load: () => import('./size.js') },
  {
    usage: 'queue:clear [queue]',
    summary: 'Remove the waiting jobs of a queue',
    load: () => import('./clear.js'),
  },
  {
    usage: 'queue:migrate [connection]',
    summary: "Create or update a store's tables",
    load: () => import('./migrate.js'),
  },
  {
    usage: 'queue:table [connection]',
    summary: "Print a store's tables as SQL",
    load: () => import('./table.js'),
  },
  {
    usage: 'queue:failed [id]',
    summary: 'List failed jobs, or show one in full',
    load: () => import('./failed.js'),
  },
  {
    usage: 'queue:retry <id..>',
    summary: "Put failed jobs back into their queues; 'all' for all",
    load: () => import('./retry.js'),
  },
  {
    usage: 'queue:forget <id..>',
    summary: 'Remove records of failed jobs',
    load: () => import('./forget.js'),
  },
  { usage: 'queue:flush', summary: 'Remove all records of failed jobs', load: () => import('./flush.js') },
  {
    usage: 'queue:prune-failed',
    summary: 'Remove the old records of failed jobs',
    load: () => import('./prune-failed.js'),
  },
];

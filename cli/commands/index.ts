import type { CommandEntry } from '../command.js';

/** All commands, in the order of the help. Each is loaded when it is called, so that none waits for the others. */
export const commands: readonly CommandEntry[] = [
  {
    usage: 'init',
    summary: 'Write a config and a first job into this folder',
    load: () => import('./init.js'),
  },
  {
    usage: 'make:job <name>',
    summary: 'Write the file of a new job',
    load: () => import('./make-job.js'),
  },
  {
    usage: 'make:consumer <name>',
    summary: "Write the file of a new consumer, in webman's style",
    load: () => import('./make-consumer.js'),
  },
  {
    usage: 'queue:work [connection]',
    summary: 'Run jobs, one process for many jobs',
    load: () => import('./work-command.js'),
  },
  {
    usage: 'queue:supervise [group..]',
    summary: 'Run the groups of worker processes that the config describes',
    load: () => import('./supervise.js'),
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
  {
    usage: 'queue:pause [queue..]',
    summary: 'Let workers take no jobs of queues, or of a connection',
    load: () => import('./pause.js'),
  },
  {
    usage: 'queue:resume [queue..]',
    summary: 'End a pause',
    load: () => import('./resume.js'),
  },
  {
    usage: 'queue:workers [connection]',
    summary: 'List the workers that live, and what they do',
    load: () => import('./workers.js'),
  },
  { usage: 'queue:push <name>', summary: 'Push a job', load: () => import('./push.js') },
  { usage: 'queue:size [queue..]', summary: 'Count the jobs of queues', load: () => import('./size.js') },
  {
    usage: 'queue:list [state]',
    summary: 'List jobs by state: running, reserved, ready, delayed, done, failed',
    load: () => import('./list.js'),
  },
  { usage: 'queue:show <id>', summary: 'Show one job in full', load: () => import('./show.js') },
  {
    usage: 'queue:stats [queue]',
    summary: 'Show what happened to jobs, and how long they ran and waited',
    load: () => import('./stats.js'),
  },
  {
    usage: 'queue:monitor [queue..]',
    summary: 'Say whether queues have too many jobs',
    load: () => import('./monitor.js'),
  },
  {
    usage: 'queue:doctor [connections..]',
    summary: 'Look for what is wrong with settings, store and queues',
    load: () => import('./doctor.js'),
  },
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

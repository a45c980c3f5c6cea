import { type QueueConfig, QueueError, type WorkerGroup, type WorkerOptions } from '../src/index.js';
import { suggest } from './suggest.js';

/** How a group's workers work: as it says, else as `worker` of the config does. */
export function groupOptions(group: WorkerGroup, worker: WorkerOptions = {}): WorkerOptions {
  const { connection: _connection, consumers: _consumers, workers: _workers, ...options } = group;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...worker, once: false, ...Object.fromEntries(given) };
}

/**
 * The names of the groups that were asked for, or of all, in the order of the config.
 *
 * @throws QueueError `E_USAGE` for a name that the config does not have, or where it has no groups at all.
 */
export function chosenGroups({ supervisors = {} }: QueueConfig, asked: readonly string[]): string[] {
  const names = Object.keys(supervisors);
  if (names.length === 0) {
    throw new QueueError('E_USAGE', 'the config has no groups of worker processes', {
      fix: "Write supervisors: { mail: { queues: ['mail'], workers: 2 } } into it.",
    });
  }
  for (const word of asked) if (!names.includes(word)) throw unknownGroup(word, names);
  return asked.length === 0 ? names : names.filter((name) => asked.includes(name));
}

/**
 * The config as a worker process of a group uses it: `default` is the group's connection, `worker` says how it works,
 * and there are no groups.
 *
 * @throws QueueError `E_USAGE` for a name that the config does not have.
 */
export function configOfGroup({ supervisors = {}, ...config }: QueueConfig, name: string): QueueConfig {
  const group = Object.hasOwn(supervisors, name) ? supervisors[name] : undefined;
  if (group === undefined) throw unknownGroup(name, Object.keys(supervisors));
  const { connection, consumers } = group;
  const { jobs, ...others } = config;
  return {
    ...others,
    ...(consumers !== undefined ? { consumers } : jobs !== undefined && { jobs }),
    ...(connection !== undefined && { default: connection }),
    worker: groupOptions(group, config.worker),
  };
}

function unknownGroup(word: string, names: readonly string[]): QueueError {
  const near = suggest(word, names);
  const fix = near === undefined ? `The groups are ${names.join(', ')}.` : `Did you mean ${near}?`;
  return new QueueError('E_USAGE', `there is no group ${JSON.stringify(word)} in supervisors`, { fix });
}

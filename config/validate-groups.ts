import { type WorkerOptions, workerGroupKeys } from '../src/index.js';
import { isSection, keyPath, kindOf, type Problem, unknownKeys } from './problem.js';
import { unknownConnection } from './validate-connections.js';
import { consumersProblems } from './validate-consumers.js';
import { optionProblems } from './validate-worker.js';

/** A name that can be a word of a command line. */
const groupName = /^[\p{L}\p{N}][\p{L}\p{N}_.:-]*$/u;

/**
 * What is wrong with `supervisors`, each setting looked at alone.
 *
 * @param connections the names of those that the config has.
 */
export function groupsProblems(supervisors: unknown, connections: readonly string[]): Problem[] {
  const path = 'supervisors';
  const fix = "Write supervisors: { mail: { queues: ['mail'], workers: 2 } }.";
  if (!isSection(supervisors)) {
    return [{ path, what: `is ${kindOf(supervisors)}, not an object of groups`, fix }];
  }
  return Object.entries(supervisors).flatMap(([name, group]) => {
    const own = keyPath(path, name);
    if (!groupName.test(name)) {
      const allowed = 'Use letters, digits, _ . : and -, the first a letter or digit.';
      return [{ path: own, what: 'is no name that a command line can hold', fix: allowed }];
    }
    if (!isSection(group)) return [{ path: own, what: `is ${kindOf(group)}, not an object of settings` }];
    return groupProblems(group, own, connections);
  });
}

function groupProblems(
  group: Readonly<Record<string, unknown>>,
  path: string,
  connections: readonly string[],
): Problem[] {
  const { connection, workers } = group;
  const problems = unknownKeys(group, path, workerGroupKeys);
  for (const name of workerGroupKeys) {
    if (name === 'connection') problems.push(...connectionProblems(connection, path, connections));
    else if (name === 'consumers') problems.push(...consumersProblems(group.consumers, path));
    else if (name === 'workers') problems.push(...workersProblems(workers, path));
    else problems.push(...optionProblems(name satisfies keyof WorkerOptions, group[name], path));
  }
  return problems;
}

function connectionProblems(name: unknown, parent: string, connections: readonly string[]): Problem[] {
  if (name === undefined) return [];
  const path = keyPath(parent, 'connection');
  if (typeof name !== 'string') {
    return [{ path, what: `is ${kindOf(name)}, not the name of a connection` }];
  }
  return connections.length === 0 || connections.includes(name)
    ? []
    : [unknownConnection(path, name, connections)];
}

function workersProblems(workers: unknown, parent: string): Problem[] {
  if (workers === undefined || (Number.isSafeInteger(workers) && Number(workers) > 0)) return [];
  return [{ path: keyPath(parent, 'workers'), what: 'is not a whole number from 1 up' }];
}

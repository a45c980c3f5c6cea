import {
  checkQueueName,
  checkWorkerOptions,
  type Driver,
  type WorkerOptions,
  workerOptionNames,
} from '../src/index.js';
import { isSection, keyPath, kindOf, type Problem, problemOf, unknownKeys } from './problem.js';

/** A connection that no timeout is too long for: the lease is looked at later, for a real one. */
const anyConnection = { name: '', queue: 'default', leaseMs: Number.POSITIVE_INFINITY };

/** What is wrong with the settings in `worker`, each looked at alone. */
export function workerProblems(worker: unknown): Problem[] {
  if (!isSection(worker)) return [{ path: 'worker', what: `is ${kindOf(worker)}, not an object` }];
  return [
    ...unknownKeys(worker, 'worker', workerOptionNames),
    ...workerOptionNames.flatMap((name) => optionProblems(name, worker[name], 'worker')),
  ];
}

/** What is wrong with one setting of a worker, in the section at `parent`; nothing where it is not given. */
export function optionProblems(name: keyof WorkerOptions, value: unknown, parent: string): Problem[] {
  if (value === undefined) return [];
  const path = keyPath(parent, name);
  if (name === 'queues') return queuesProblems(value, path);
  if (name === 'once' || name === 'stopWhenEmpty' || name === 'force') {
    return typeof value === 'boolean' ? [] : [{ path, what: `is ${kindOf(value)}, not true or false` }];
  }
  try {
    checkWorkerOptions({ [name]: value }, anyConnection);
    return [];
  } catch (error) {
    const problem = problemOf(error, parent);
    return [problem.path === parent ? { ...problem, path } : problem];
  }
}

function queuesProblems(queues: unknown, path: string): Problem[] {
  if (!Array.isArray(queues)) {
    return [{ path, what: `is ${kindOf(queues)}, not a list of names`, fix: "Write ['mail', 'default']." }];
  }
  return queues.flatMap((queue, index) => {
    try {
      checkQueueName(queue);
      return [];
    } catch (error) {
      return [{ ...problemOf(error, ''), path: keyPath(path, index) }];
    }
  });
}

/** A problem of the section at `parent` where a run of a job could outlast its lease on this connection. */
export function leaseProblems(
  worker: WorkerOptions,
  name: string,
  driver: Driver,
  parent: string,
): Problem[] {
  try {
    checkWorkerOptions(worker, { name, ...driver.settings });
    return [];
  } catch (error) {
    return [{ ...problemOf(error, ''), path: keyPath(parent, 'timeout') }];
  }
}

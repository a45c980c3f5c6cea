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
  const known = workerOptionNames.filter((name) => worker[name] !== undefined);
  return [
    ...unknownKeys(worker, 'worker', workerOptionNames),
    ...known.flatMap((name) => optionProblems(name, worker[name])),
  ];
}

function optionProblems(name: keyof WorkerOptions, value: unknown): Problem[] {
  const path = keyPath('worker', name);
  if (name === 'queues') return queuesProblems(value, path);
  if (name === 'once' || name === 'stopWhenEmpty' || name === 'force') {
    return typeof value === 'boolean' ? [] : [{ path, what: `is ${kindOf(value)}, not true or false` }];
  }
  try {
    checkWorkerOptions({ [name]: value }, anyConnection);
    return [];
  } catch (error) {
    const problem = problemOf(error, 'worker');
    return [problem.path === 'worker' ? { ...problem, path } : problem];
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

/** A problem where a run of a job could outlast its lease on this connection. */
export function leaseProblems(worker: WorkerOptions, name: string, driver: Driver): Problem[] {
  try {
    checkWorkerOptions(worker, { name, ...driver.settings });
    return [];
  } catch (error) {
    return [{ ...problemOf(error, ''), path: 'worker.timeout' }];
  }
}

import { type QueueConfig, queueConfigKeys } from '../src/index.js';
import { defaultConnection } from './default-connection.js';
import { isSection, keyPath, kindOf, type Problem, unknownKeys } from './problem.js';
import { connectionsProblems, isDriver, unknownConnection } from './validate-connections.js';
import { consumersProblems } from './validate-consumers.js';
import { groupsProblems } from './validate-groups.js';
import { jobsProblems } from './validate-jobs.js';
import { leaseProblems, workerProblems } from './validate-worker.js';
import { groupOptions } from './worker-groups.js';

/**
 * Everything that is wrong with a config; nothing where it can be used.
 *
 * Lease and timeout are compared for one connection only: another's workers may get a timeout of their own,
 * and check it when they start.
 *
 * @param chosen the connection that a flag or the environment made the default.
 */
export function findProblems(config: unknown, chosen?: string): Problem[] {
  if (!isSection(config)) {
    const fix = 'Write export default defineConfig({ … }).';
    return [{ path: '', what: `the config is ${kindOf(config)}, not an object`, fix }];
  }
  const { connections, failed, jobs, supervisors = {}, worker = {} } = config;
  const names = isSection(connections) && !isDriver(connections) ? Object.keys(connections) : [];
  const ofWorker = workerProblems(worker);
  const problems = [
    ...unknownKeys(config, '', queueConfigKeys),
    ...connectionsProblems(connections),
    ...defaultProblems(config.default, names),
    ...jobsProblems(jobs),
    ...consumersProblems(config.consumers, ''),
    ...failedProblems(failed, names),
    ...ofWorker,
    ...groupsProblems(supervisors, names),
    ...otherProblems(config),
  ];
  if (!isSection(connections) || problems.some(({ path }) => /^(?:worker|supervisors)\b/.test(path))) {
    return problems;
  }
  return [...problems, ...tooLongRuns(config as unknown as QueueConfig, chosen)];
}

/** Workers whose jobs could outlast their leases: those of the connection in use, and those of the groups. */
function tooLongRuns(config: QueueConfig, chosen: string | undefined): Problem[] {
  const { worker = {}, supervisors = {} } = config;
  const connection = chosen ?? defaultConnection(config);
  const workers = [
    { path: 'worker', connection, options: worker },
    ...Object.entries(supervisors).map(([name, group]) => {
      const path = keyPath('supervisors', name);
      return { path, connection: group.connection ?? connection, options: groupOptions(group, worker) };
    }),
  ];
  return workers.flatMap(({ path, connection: name, options }) => {
    const driver = Object.hasOwn(config.connections, name) ? config.connections[name] : undefined;
    return isDriver(driver) ? leaseProblems(options, name, driver, path) : [];
  });
}

function defaultProblems(given: unknown, names: readonly string[]): Problem[] {
  if (names.length === 0) return []; // said of the connections
  const list = `the connections are ${names.join(', ')}`;
  if (given === undefined) {
    if (names.length === 1 || names.includes('default')) return [];
    return [{ path: 'default', what: `is missing; ${list}` }];
  }
  if (typeof given !== 'string') {
    return [{ path: 'default', what: `is ${kindOf(given)}, not the name of a connection; ${list}` }];
  }
  return names.includes(given) ? [] : [unknownConnection('default', given, names)];
}

function failedProblems(failed: unknown, names: readonly string[]): Problem[] {
  const fix = "Write 'same', 'none' or { connection: '…' }.";
  if (failed === undefined || failed === 'same' || failed === 'none') return [];
  if (!isSection(failed)) {
    const what = typeof failed === 'string' ? JSON.stringify(failed) : kindOf(failed);
    return [{ path: 'failed', what: `${what} is no place for failed jobs`, fix }];
  }
  const { connection } = failed;
  const problems = unknownKeys(failed, 'failed', ['connection']);
  if (typeof connection !== 'string') {
    if (problems.length > 0) return problems;
    const what = connection === undefined ? 'is missing' : `is ${kindOf(connection)}, not a name`;
    return [{ path: 'failed.connection', what, fix }];
  }
  if (names.length === 0 || names.includes(connection)) return problems;
  return [...problems, unknownConnection('failed.connection', connection, names)];
}

function otherProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  const { maxPayloadBytes, logger, clock, statistics, tracing, metrics, thinkCache } = config;
  const problems: Problem[] = [];
  if (thinkCache !== undefined && (typeof thinkCache !== 'string' || thinkCache === '')) {
    problems.push({ path: 'thinkCache', what: 'is not the path of a folder' });
  }
  for (const path of ['names', 'onFailed', 'maintenance']) {
    const given = config[path];
    if (given !== undefined && typeof given !== 'function') {
      problems.push({ path, what: `is ${kindOf(given)}, not a function` });
    }
  }
  if (tracing !== undefined && !hasMethods(tracing, ['push', 'run'])) {
    problems.push({ path: 'tracing', what: 'has no methods push and run', fix: 'Write opentelemetry().' });
  }
  if (metrics !== undefined) problems.push(...metricsProblems(metrics));
  if (statistics !== undefined && typeof statistics !== 'boolean') {
    problems.push({ path: 'statistics', what: `is ${kindOf(statistics)}, not true or false` });
  }
  if (
    maxPayloadBytes !== undefined &&
    !(Number.isSafeInteger(maxPayloadBytes) && Number(maxPayloadBytes) > 0)
  ) {
    problems.push({ path: 'maxPayloadBytes', what: 'is not a whole number from 1 up' });
  }
  if (logger !== undefined && !hasMethods(logger, ['debug', 'info', 'warn', 'error'])) {
    problems.push({ path: 'logger', what: 'has no methods debug, info, warn and error', fix: 'pino fits.' });
  }
  if (clock !== undefined && !hasMethods(clock, ['now'])) {
    problems.push({ path: 'clock', what: 'has no method now' });
  }
  return problems;
}

function metricsProblems(metrics: unknown): Problem[] {
  const fix = 'Write { port: 9464 }.';
  if (!isSection(metrics)) return [{ path: 'metrics', what: `is ${kindOf(metrics)}, not an object`, fix }];
  const { port, host } = metrics;
  const problems = unknownKeys(metrics, 'metrics', ['port', 'host']);
  if (!(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) {
    problems.push({ path: 'metrics.port', what: 'is not a whole number from 0 to 65535', fix });
  }
  if (host !== undefined && (typeof host !== 'string' || host === '')) {
    problems.push({ path: 'metrics.host', what: `is ${kindOf(host)}, not an address` });
  }
  return problems;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

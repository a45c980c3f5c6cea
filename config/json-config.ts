import { type Driver, QueueError } from '../src/index.js';
import { databaseUrlFix, type Environment } from './environment.js';
import { type JsonDriver, jsonDrivers } from './json-drivers.js';
import { didYouMean, isSection, keyPath, kindOf, type Problem, problemOf, unknownKeys } from './problem.js';

/** What a config file says, and what is known to be wrong with it already. */
export interface RawConfig {
  readonly config: unknown;
  readonly problems: readonly Problem[];
}

/** Stands where no driver could be made, so that the rest of the config can be checked. Never connects. */
const placeholder: Driver = {
  driver: 'none',
  settings: { queue: 'default', leaseMs: Number.POSITIVE_INFINITY },
  connect() {
    throw new TypeError('a config with problems was used');
  },
};

/**
 * Parses a config and makes the drivers that its `connections` describe.
 *
 * @param source names the file in the error.
 * @throws QueueError `E_CONFIG` for text that is not JSON.
 */
export function readJsonConfig(text: string, source: string, env: Environment): RawConfig {
  const config = parse(text, source);
  if (!isSection(config) || !isSection(config.connections)) return { config, problems: [] };
  const problems: Problem[] = [];
  const connections = Object.fromEntries(
    Object.entries(config.connections).map(([name, described]) => {
      const made = makeDriver(described, keyPath('connections', name), env);
      if (!Array.isArray(made)) return [name, made];
      problems.push(...made);
      return [name, placeholder];
    }),
  );
  return { config: { ...config, connections }, problems };
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // Without the piece of the file that V8 may quote, and without the error itself: it may be a password.
    const message = (error as SyntaxError).message.replace(/, (?:\.{3})?".*" is not valid JSON$/s, '');
    const [, position] = / at position (\d+)/.exec(message) ?? [];
    const line = position === undefined ? '' : `:${text.slice(0, Number(position)).split('\n').length}`;
    throw new QueueError('E_CONFIG', `${source}${line} is not JSON: ${message}`, {
      fix: 'Comments and trailing commas are not allowed; in drover.config.mjs they are.',
    });
  }
}

function makeDriver(described: unknown, path: string, env: Environment): Driver | Problem[] {
  if (!isSection(described)) {
    const fix = 'Write { "driver": "database", "url": "sqlite:./drover.sqlite" }.';
    return [{ path, what: `is ${kindOf(described)}, not an object`, fix }];
  }
  const { driver: name, ...options } = described;
  const driver = findDriver(name, keyPath(path, 'driver'));
  if ('path' in driver) return [driver];
  const unknown = unknownKeys(options, path, driver.options);
  if (unknown.length > 0) return unknown;
  try {
    return driver.make(options, env);
  } catch (error) {
    const problem = problemOf(error, path);
    const variable = driver.variables?.[problem.path.slice(path.length + 1)];
    const isFromVariable = variable !== undefined && env[variable] && options.url === undefined;
    if (!isFromVariable) return [problem];
    const fix = databaseUrlFix(`url: ${problem.what}`, env) ?? problem.fix;
    return [{ ...problem, what: `${problem.what} (from ${variable})`, fix }];
  }
}

function findDriver(name: unknown, path: string): JsonDriver | Problem {
  const names = Object.keys(jsonDrivers);
  const list = names.join(', ');
  if (typeof name !== 'string') return { path, what: `is ${kindOf(name)}; the drivers are ${list}` };
  const driver = Object.hasOwn(jsonDrivers, name) ? jsonDrivers[name] : undefined;
  const hint = didYouMean(name, names) ?? `; the drivers are ${list}`;
  return driver ?? { path, what: `there is no driver ${JSON.stringify(name)}${hint}` };
}

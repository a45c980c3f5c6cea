import type { Driver } from '../src/index.js';
import { didYouMean, isSection, keyPath, kindOf, type Problem } from './problem.js';

/** True for what a driver's function returns, whichever copy of drover it comes from. */
export function isDriver(value: unknown): value is Driver {
  if (!isSection(value) || typeof value.connect !== 'function' || !isSection(value.settings)) return false;
  return typeof value.settings.queue === 'string' && typeof value.settings.leaseMs === 'number';
}

/** What is wrong with `connections`. Values are never shown: a URL has a password in it. */
export function connectionsProblems(connections: unknown): Problem[] {
  const path = 'connections';
  const fix = "Write connections: { default: database('sqlite:./drover.sqlite') }.";
  if (isDriver(connections)) return [{ path, what: 'is one driver, without a name', fix }];
  if (!isSection(connections)) {
    const what = connections === undefined ? 'is missing' : `is ${kindOf(connections)}, not an object`;
    return [{ path, what, fix }];
  }
  const entries = Object.entries(connections);
  if (entries.length === 0) return [{ path, what: 'there is none', fix }];
  return entries
    .filter(([, value]) => !isDriver(value))
    .map(([name, value]) => ({ path: keyPath(path, name), ...notDriver(value) }));
}

function notDriver(value: unknown): { what: string; fix: string } {
  const example = "memory() or database('sqlite:./drover.sqlite')";
  if (typeof value === 'function') {
    return { what: 'is a function, not a driver', fix: `Call it: ${example}.` };
  }
  if (isSection(value) && 'driver' in value) {
    return {
      what: 'is not a driver',
      fix: `{ driver: … } is for JSON files: use the driver's function, such as ${example}.`,
    };
  }
  return { what: `is ${kindOf(value)}, not a driver`, fix: `Use the driver's function, such as ${example}.` };
}

/** A name that none of the connections has. */
export function unknownConnection(path: string, name: string, names: readonly string[]): Problem {
  const hint = didYouMean(name, names) ?? `; the connections are ${names.join(', ')}`;
  return { path, what: `there is no connection ${JSON.stringify(name)}${hint}` };
}

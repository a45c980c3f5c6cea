import { QueueError } from './errors.js';

/** How many levels of arrays and objects a job's data may have. */
const maxDataDepth = 200;

/**
 * Refuses data that JSON would silently change or cannot hold, so that a handler gets what was pushed.
 *
 * Plain objects, arrays, strings, finite numbers, booleans and null pass. A property that is `undefined`
 * passes too: it is absent on the other side, as `data.x` reads the same. (`-0` arrives as `0`.)
 *
 * @throws QueueError `E_PAYLOAD_INVALID` naming the path of the value, such as `data.items[3].at`.
 */
export function assertJsonSafe(data: unknown): void {
  visit(data, [], []);
}

type Path = (string | number)[];

function visit(value: unknown, path: Path, ancestors: object[]): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) refuse(path, 'holds half of a surrogate pair', 'Use value.toWellFormed().');
      return;
    case 'number':
      if (!Number.isFinite(value)) refuse(path, `is ${value}, which JSON turns into null`);
      return;
    case 'boolean':
      return;
    case 'object':
      if (value !== null) visitObject(value, path, ancestors);
      return;
    case 'bigint':
      refuse(path, 'is a BigInt', 'Push it as a string and convert it back in the handler.');
      break;
    case 'undefined':
      refuse(path, 'is undefined, which JSON turns into null', 'Use null.');
      break;
    default:
      refuse(path, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function visitObject(value: object, path: Path, ancestors: object[]): void {
  if (ancestors.includes(value)) refuse(path, 'refers back to an object that contains it');
  if (ancestors.length >= maxDataDepth) refuse(path, `is nested deeper than ${maxDataDepth} levels`);
  ancestors.push(value);
  if (Array.isArray(value)) {
    if (!isPlainArray(value)) refuse(path, `is a ${className(value)}, which JSON turns into an array`);
    if (Object.keys(value).length > value.length)
      refuse(path, 'is an array with properties, which JSON drops');
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      visit(value[index], path, ancestors);
      path.pop();
    }
  } else {
    visitProperties(value, path, ancestors);
  }
  ancestors.pop();
}

function visitProperties(value: object, path: Path, ancestors: object[]): void {
  if (!isPlain(value)) {
    const kind = className(value);
    const fix = value instanceof Date ? 'Push value.toISOString() or value.getTime().' : undefined;
    refuse(path, `is a ${kind}, which JSON would change`, fix);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, 'has a symbol as key, which JSON drops');
  for (const key of Object.keys(value)) {
    path.push(key);
    if (!key.isWellFormed()) refuse(path, 'has a key with half of a surrogate pair');
    const item = itemOf(value, key, path);
    if (item !== undefined) visit(item, path, ancestors);
    path.pop();
  }
}

function itemOf(value: object, key: string, path: Path): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    path.pop(); // it is the object that is told of
    return refuse(path, 'has a getter that throws');
  }
}

/** True for object literals, also of another realm, and for objects without a prototype. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** True for arrays of this or another realm, false for classes of them. */
function isPlainArray(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype !== null && isPlain(prototype);
}

function className(value: object): string {
  try {
    return value.constructor?.name || 'class instance';
  } catch {
    return 'class instance'; // a getter of that name that throws
  }
}

function refuse(path: Path, problem: string, fix = 'Push plain JSON values only.'): never {
  const shown = path.map((part) =>
    typeof part === 'number'
      ? `[${part}]`
      : /^[A-Za-z_$][\w$]*$/.test(part)
        ? `.${part}`
        : `[${JSON.stringify(part)}]`,
  );
  const text = shown.length > 12 ? [...shown.slice(0, 6), '…', ...shown.slice(-5)].join('') : shown.join('');
  throw new QueueError('E_PAYLOAD_INVALID', `data${text} ${problem}`, { fix });
}

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
  visit(data, undefined);
}

/** Where a value stands: its path is made only for who is refused. */
interface Holder {
  readonly value: object;
  /** Of the value that is looked at. */
  key: string | number;
  readonly depth: number;
  readonly holder: Holder | undefined;
}

function visit(value: unknown, holder: Holder | undefined): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed())
        refuse(holder, 'holds half of a surrogate pair', 'Use value.toWellFormed().');
      return;
    case 'number':
      if (!Number.isFinite(value)) refuse(holder, `is ${value}, which JSON turns into null`);
      return;
    case 'boolean':
      return;
    case 'object':
      if (value !== null) visitObject(value, holder);
      return;
    case 'bigint':
      refuse(holder, 'is a BigInt', 'Push it as a string and convert it back in the handler.');
      break;
    case 'undefined':
      refuse(holder, 'is undefined, which JSON turns into null', 'Use null.');
      break;
    default:
      refuse(holder, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function visitObject(value: object, holder: Holder | undefined): void {
  for (let outer = holder; outer !== undefined; outer = outer.holder) {
    if (outer.value === value) refuse(holder, 'refers back to an object that contains it');
  }
  const depth = holder === undefined ? 1 : holder.depth + 1;
  if (depth > maxDataDepth) refuse(holder, `is nested deeper than ${maxDataDepth} levels`);
  const own: Holder = { value, key: 0, depth, holder };
  if (Array.isArray(value)) visitItems(value, own);
  else visitProperties(value, own);
}

function visitItems(value: readonly unknown[], own: Holder): void {
  const { holder } = own;
  if (!isPlainArray(value)) refuse(holder, `is a ${className(value)}, which JSON turns into an array`);
  if (Object.keys(value).length > value.length)
    refuse(holder, 'is an array with properties, which JSON drops');
  for (let index = 0; index < value.length; index++) {
    own.key = index;
    visit(value[index], own);
  }
}

function visitProperties(value: object, own: Holder): void {
  const { holder } = own;
  if (!isPlain(value)) {
    const kind = className(value);
    const fix = value instanceof Date ? 'Push value.toISOString() or value.getTime().' : undefined;
    refuse(holder, `is a ${kind}, which JSON would change`, fix);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(holder, 'has a symbol as key, which JSON drops');
  for (const key of Object.keys(value)) {
    own.key = key;
    if (!key.isWellFormed()) refuse(own, 'has a key with half of a surrogate pair');
    const item = itemOf(value, key, holder);
    if (item !== undefined) visit(item, own);
  }
}

function itemOf(value: object, key: string, holder: Holder | undefined): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return refuse(holder, 'has a getter that throws');
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

function refuse(holder: Holder | undefined, problem: string, fix = 'Push plain JSON values only.'): never {
  const shown = pathOf(holder).map((part) =>
    typeof part === 'number'
      ? `[${part}]`
      : /^[A-Za-z_$][\w$]*$/.test(part)
        ? `.${part}`
        : `[${JSON.stringify(part)}]`,
  );
  const text = shown.length > 12 ? [...shown.slice(0, 6), '…', ...shown.slice(-5)].join('') : shown.join('');
  throw new QueueError('E_PAYLOAD_INVALID', `data${text} ${problem}`, { fix });
}

function pathOf(holder: Holder | undefined): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at = holder; at !== undefined; at = at.holder) path.push(at.key);
  return path.reverse();
}

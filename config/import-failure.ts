import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isQueueError } from '../src/index.js';
import { redact } from './redact.js';

/** What is said of a file that could not be imported. */
export interface ImportFailure {
  /** The first line of the error and, where known, the place in the project's files. */
  readonly what: string;
  readonly fix?: string;
  /** The error itself, where it holds no password. */
  readonly cause?: unknown;
}

/**
 * Reads what an import threw, which may be anything.
 *
 * @param path the file that was imported, absolute.
 * @param directory the project's folder, without symlinks; places elsewhere are not the user's to mend.
 * @param base what places are shown relative to.
 */
export function importFailure(thrown: unknown, path: string, directory: string, base: string): ImportFailure {
  const { name, message, stack } = partsOf(thrown);
  const line = firstLine(message) ?? 'an error without a message';
  const plain = name === 'Error' || isQueueError(thrown);
  const place = placeIn(stack, directory, base);
  const what = redact(`${plain ? line : `${name}: ${line}`}${place === undefined ? '' : ` (${place})`}`);
  const fix = isQueueError(thrown)
    ? thrown.fix
    : remedy(name, message, place === undefined, relative(base, path));
  return {
    what,
    ...(fix !== undefined && { fix: redact(fix) }),
    ...(redact(stack) === stack && redact(message) === message && { cause: thrown }),
  };
}

/** Name, message and stack, read without trusting what was thrown. */
function partsOf(thrown: unknown): { name: string; message: string; stack: string } {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: 'Error', message: `${String(thrown)} was thrown`, stack: '' };
  }
  const { name, message, stack } = thrown as Record<string, unknown>;
  return {
    name: typeof name === 'string' && name !== '' ? name : 'Error',
    message: typeof message === 'string' ? message : 'an object that is no error was thrown',
    stack: typeof stack === 'string' ? stack : '',
  };
}

function firstLine(message: string): string | undefined {
  const line = message
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '');
  return line === undefined || line.length <= 500 ? line : `${line.slice(0, 500)}…`;
}

/** The first `file:line` of a stack that lies in the project, or undefined. */
function placeIn(stack: string, directory: string, base: string): string | undefined {
  for (const line of stack.split('\n')) {
    const [, found, number] =
      /(file:\/\/.+?|[a-z]:\\.+?|\/.+?):(\d+)(?::\d+)?\)?$/i.exec(line.trimEnd()) ?? [];
    const path = found?.startsWith('file:') ? pathOf(found) : found;
    if (!path?.startsWith(directory + sep) || path.includes(`${sep}node_modules${sep}`)) continue;
    return `${relative(base, path)}:${number}`;
  }
  return undefined;
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined; // text of a message that only looks like a place
  }
}

/** What usually mends an error of the module loader, or undefined for any other error. */
function remedy(name: string, message: string, isPlaceless: boolean, file: string): string | undefined {
  const [, specifier] = /^Cannot find (?:package|module) '([^'./\\][^']*)'/.exec(message) ?? [];
  const [, packageName] = /^((?:@[\w.-]+\/)?[\w.-]+)/.exec(specifier ?? '') ?? [];
  if (packageName !== undefined) return `Install it: npm install ${packageName}.`;
  if (/^(?:Cannot use import statement outside a module|Unexpected token 'export')/.test(message)) {
    return 'Rename it to .mjs, or set "type": "module" in package.json.';
  }
  // Node keeps the place from us.
  return name === 'SyntaxError' && isPlaceless ? `\`node --check ${file}\` shows the line.` : undefined;
}

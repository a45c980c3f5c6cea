import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Script } from 'node:vm';
import { KeptCode, type Source } from './kept-code.js';

// The code of the build is CommonJS that this loads, not Node: of its own loaders, those of Node 20 keep no compiled code.

type Exports = Readonly<Record<string, unknown>>;
type Chunk = (
  exports: Exports,
  require: (name: string) => unknown,
  importModule: (name: string) => Promise<unknown>,
  __filename: string,
) => void;

/** Code that this process compiled itself. */
interface Fresh {
  readonly source: Source;
  readonly script: Script;
}

/** Without a line break: lines keep their numbers. Code that V8 kept cannot use `import()`, so it is given one. */
const before = "(function (exports, require, importModule, __filename) { 'use strict'; ";
const after = '\n})';
const delayMs = 1000;
const pauseMs = 50;

const loaded = new Map<string, Exports>();
const fresh: Fresh[] = [];
let isProgram = false;
let kept: KeptCode | undefined | false;

/**
 * Loads a file of the build, once a process.
 *
 * @param name its path in the folder of the build, with slashes.
 */
export function load(name: string): unknown {
  const known = loaded.get(name);
  if (known) return known;
  const path = join(__dirname, '..', name);
  const run = compile({ name, path, text: readFileSync(path) });
  const exports = {};
  loaded.set(name, exports);
  try {
    run(exports, requireFrom(posix.dirname(name)), (other) => import(other), path);
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return exports;
}

/** Loads as {@link load} does, for the program: what it compiles may be kept. */
export function loadForProgram(name: string): unknown {
  isProgram = true;
  return load(name);
}

/** Keeps the code of all that was compiled so far for later processes, soon: functions are in it that ran before. */
export function keepCompiledCode(): void {
  if (fresh.length === 0) return;
  process.once('exit', () => {
    while (keepNext());
  });
  setTimeout(keepInTurn, delayMs).unref();
}

/** One file at a time takes some milliseconds, no longer than a collection of garbage. */
function keepInTurn(): void {
  if (keepNext()) setTimeout(keepInTurn, pauseMs).unref();
}

function keepNext(): boolean {
  const one = fresh.pop();
  if (one && kept) kept.write(one.source, one.script.createCachedData());
  return one !== undefined;
}

function compile(source: Source): Chunk {
  kept ??= isTurnedOff() ? false : new KeptCode(join(__dirname, '../../.compiled'));
  const cachedData = kept ? kept.read(source) : undefined;
  const code = before + source.text.toString('latin1') + after; // the build writes ASCII
  const script = new Script(code, { filename: source.path, cachedData });
  if (isProgram && kept && (cachedData === undefined || script.cachedDataRejected)) {
    fresh.push({ source, script });
  }
  return script.runInThisContext() as Chunk;
}

/** As Node's own is. Coverage is less precise of code that was kept. */
function isTurnedOff(): boolean {
  return Boolean(process.env.NODE_DISABLE_COMPILE_CACHE || process.env.NODE_V8_COVERAGE);
}

function requireFrom(folder: string): (name: string) => unknown {
  return (name) => {
    if (name === 'drover:loader') return { keepCompiledCode };
    return name.startsWith('.') ? load(posix.join(folder, name)) : require(name);
  };
}

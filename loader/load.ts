import Module from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { Script } from 'node:vm';
import { KeptCode, type Source } from './kept-code.js';

/** What Node calls to run the text of a CommonJS file, which Node itself keeps no compiled code of before version 22. */
type Compile = (this: NodeModule, text: string, path: string, ...more: unknown[]) => unknown;
type Run = (
  this: unknown,
  exports: unknown,
  require: (name: string) => unknown,
  module: NodeModule,
  __filename: string,
  __dirname: string,
) => unknown;

/** Code that this process compiled itself. */
interface Fresh {
  readonly source: Source;
  readonly script: Script;
}

/** Without a line break: lines keep their numbers. */
const before = '(function (exports, require, module, __filename, __dirname) { ';
const after = '\n})';
const delayMs = 1000;
const pauseMs = 50;
const build = join(__dirname, '..');

const fresh: Fresh[] = [];
let kept: KeptCode | undefined;

/**
 * Loads a file of the build. It and all files of the build that are loaded from now on, by whomever, are run with the code
 * that an earlier process kept, where there is any. For a process that is drover's own: it changes how Node compiles.
 *
 * @param name its path in the folder of the build.
 */
export function load(name: string): unknown {
  if (kept === undefined && !isTurnedOff()) {
    kept = new KeptCode(join(build, '../.compiled'));
    compileWith(kept);
  }
  return require(join(build, name));
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
  if (one) kept?.write(one.source, one.script.createCachedData());
  return one !== undefined;
}

/** Has Node compile the gathered files of the build with kept code, and all others as it does. */
function compileWith(code: KeptCode): void {
  const prototype = Module.prototype as unknown as { _compile?: Compile };
  const { _compile: compile } = prototype;
  if (typeof compile !== 'function') return; // Node's inside: without it all works, a little later
  prototype._compile = function (text, path, ...more) {
    const name = relative(build, path);
    if (!isGathered(name)) return compile.call(this, text, path, ...more);
    const run = compiled(code, { name, path, text });
    return run.call(this.exports, this.exports, (id) => this.require(id), this, path, dirname(path));
  };
}

/** Code that V8 kept cannot use `import()`: what is here does that for the others. */
function isGathered(name: string): boolean {
  return name.endsWith('.cjs') && !name.startsWith('..') && !name.startsWith(`loader${sep}`);
}

function compiled(code: KeptCode, source: Source): Run {
  const cachedData = code.read(source);
  const script = new Script(before + source.text + after, { filename: source.path, cachedData });
  if (cachedData === undefined || script.cachedDataRejected) fresh.push({ source, script });
  return script.runInThisContext() as Run;
}

/** As Node's own is. Coverage is less precise of code that was kept. */
function isTurnedOff(): boolean {
  return Boolean(process.env.NODE_DISABLE_COMPILE_CACHE || process.env.NODE_V8_COVERAGE);
}

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const loader = join(import.meta.dirname, '../../dist/loader/load.cjs');

/** Says what the chunk answers, and where in it an error was made. */
const program = `
const { keepCompiledCode, load } = require('./dist/loader/load.cjs');
const { answer, fail } = load('chunks/chunk.cjs');
console.log(JSON.stringify({ answer: answer(), at: /\\((.*chunk\\.cjs:\\d+)/.exec(fail().stack)[1] }));
if (process.argv[2] === 'keep') keepCompiledCode();
`;
const chunk = (answer: number) => `exports.answer = () => ${answer};\nexports.fail = () => new Error();\n`;

let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drover-kept-'));
  folder = install('package', 1);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A package of one chunk, and the loader as built. */
function install(name: string, answer: number): string {
  const at = join(home, name);
  for (const part of ['loader', 'chunks']) mkdirSync(join(at, 'dist', part), { recursive: true });
  cpSync(loader, join(at, 'dist/loader/load.cjs'));
  writeFileSync(join(at, 'program.cjs'), program);
  writeFileSync(join(at, 'dist/chunks/chunk.cjs'), chunk(answer));
  return at;
}

interface Run {
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: readonly string[];
  readonly at?: string;
}

/** What the chunk answers in a process of its own. */
function run(mode: 'keep' | 'read', { env = {}, flags = [], at = folder }: Run = {}) {
  const plain = { NODE_OPTIONS: '', NODE_DISABLE_COMPILE_CACHE: '', NODE_V8_COVERAGE: '' };
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, join(at, 'program.cjs'), mode], {
    encoding: 'utf8',
    env: { ...process.env, ...plain, ...env },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout) as { readonly answer: number; readonly at: string };
}

const answerOf = (...how: Parameters<typeof run>) => run(...how).answer;

function keptFiles(): string[] {
  const place = join(folder, '.compiled');
  if (!existsSync(place)) return [];
  return readdirSync(place).flatMap((set) =>
    readdirSync(join(place, set)).map((name) => join(place, set, name)),
  );
}

function keptFile(): string {
  const files = keptFiles();
  expect(files).toHaveLength(1);
  return files[0] as string;
}

const replaceSource = (answer: number) => writeFileSync(join(folder, 'dist/chunks/chunk.cjs'), chunk(answer));

/** Changes kept code, which then sums up to what stands before it. */
function change(edit: (code: Buffer) => void = () => {}): void {
  const content = readFileSync(keptFile());
  edit(content.subarray(8));
  const path = join(folder, 'dist/chunks/chunk.cjs');
  content.writeUInt32LE(crc32(readFileSync(path), crc32(path)), 0);
  content.writeUInt32LE(crc32(content.subarray(8)), 4);
  writeFileSync(keptFile(), content);
}

/** Keeps the code of 1 under the sums of a source of 2: who answers 1 ran what is kept. */
function keepTheOther(): void {
  expect(answerOf('keep')).toBe(1);
  replaceSource(2);
  change();
}

describe('compiled code', () => {
  test('is kept, and run by later processes', () => {
    keepTheOther();
    expect(answerOf('read')).toBe(1);
  });

  test('is kept by who asks for it only', () => {
    expect(answerOf('read')).toBe(1);
    expect(keptFiles()).toEqual([]);
  });

  test('is left as it is where it was used', () => {
    run('keep');
    const { ino } = statSync(keptFile());
    run('keep');
    expect(statSync(keptFile()).ino).toBe(ino);
  });

  test('names the place of the file as it is now', () => {
    run('keep');
    expect(run('read').at).toBe(`${join(folder, 'dist/chunks/chunk.cjs')}:2`);
    const moved = join(home, 'moved');
    cpSync(folder, moved, { recursive: true });
    expect(run('read', { at: moved }).at).toBe(`${join(moved, 'dist/chunks/chunk.cjs')}:2`);
  });

  test('is not that of another source, be it as long and as old', () => {
    run('keep');
    const path = join(folder, 'dist/chunks/chunk.cjs');
    const { atime, mtime } = statSync(path);
    replaceSource(2);
    utimesSync(path, atime, mtime);
    expect(answerOf('keep')).toBe(2);
    change(); // what was kept is of 2 by now
    replaceSource(3);
    change();
    expect(answerOf('read')).toBe(2);
  });

  test.each<[string, () => void]>([
    ['changed', () => edit((content) => content.set([(content.at(-20) ?? 0) ^ 1], content.length - 20))],
    ['cut off', () => writeFileSync(keptFile(), readFileSync(keptFile()).subarray(0, 200))],
    ['empty', () => writeFileSync(keptFile(), '')],
    ['longer', () => appendFileSync(keptFile(), 'x')],
    // After the magic number: by this V8 knows that another version made it.
    ['of another V8', () => change((code) => code.writeUInt32LE(code.readUInt32LE(4) ^ 1, 4))],
  ])('that is %s is compiled and kept anew', (_, spoil) => {
    keepTheOther();
    spoil();
    expect(answerOf('keep')).toBe(2);
    replaceSource(3);
    change();
    expect(answerOf('read')).toBe(2);
  });

  test.each(['NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'])(
    'is neither kept nor used with %s',
    (name) => {
      const env = { [name]: join(home, '1') };
      expect(answerOf('keep', { env })).toBe(1);
      expect(keptFiles()).toEqual([]);
      keepTheOther();
      expect(answerOf('read', { env })).toBe(2);
    },
  );

  test('is kept for other flags of Node beside it', () => {
    keepTheOther();
    expect(answerOf('keep', { flags: ['--no-opt'] })).toBe(2);
    expect(answerOf('read')).toBe(1);
    expect(keptFiles()).toHaveLength(2);
  });

  test('is kept for so many flags at the most', () => {
    for (let size = 1; size <= 10; size++)
      run('keep', { env: { NODE_OPTIONS: `--stack-trace-limit=${size}` } });
    expect(keptFiles().length).toBeLessThanOrEqual(9);
    expect(keptFiles().length).toBeGreaterThan(0);
  });

  test('is not kept where nothing can be written, which nobody is told', () => {
    writeFileSync(join(folder, '.compiled'), '');
    expect(answerOf('keep')).toBe(1);
  });
});

function edit(change: (content: Buffer) => void): void {
  const content = readFileSync(keptFile());
  change(content);
  writeFileSync(keptFile(), content);
}

describe.skipIf(process.platform === 'win32')('compiled code that somebody else can write', () => {
  const set = () => join(keptFile(), '..');
  const place = () => join(folder, '.compiled');

  test.each<[string, () => string, number]>([
    ['file that the group', keptFile, 0o664],
    ['file that everybody', keptFile, 0o646],
    ['folder that the group', set, 0o775],
    ['folder that everybody', set, 0o757],
    ['folder above that everybody', place, 0o777],
  ])('is not used: a %s may write', (_, path, mode) => {
    keepTheOther();
    chmodSync(path(), mode);
    expect(answerOf('read')).toBe(2);
  });

  test('is not written to its folder', () => {
    mkdirSync(place());
    chmodSync(place(), 0o777);
    run('keep');
    expect(keptFiles()).toEqual([]);
  });

  test.runIf(process.geteuid?.() === 0).each<[string, () => string]>([
    ['file', keptFile],
    ['folder', set],
    ['folder above', place],
  ])('is not used: a %s of another user', (_, path) => {
    keepTheOther();
    chownSync(path(), 65534, 65534);
    expect(answerOf('read')).toBe(2);
  });
});

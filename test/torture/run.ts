import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installServers } from '../support/install-servers.js';
import { runMutants } from './mutants.js';
import { type Options, readOptions, smoked, usage } from './options.js';
import { bin } from './project.js';
import { redOf, reportOf, voidOf } from './report.js';
import { Interrupted, torture } from './torture.js';

const [green, red, isVoid] = [0, 1, 2];
const jiti = join(import.meta.dirname, '../../node_modules/.bin/jiti');

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const smokeSeconds = 20;
/** A smoke that takes longer is stopped, and its ledgers stay: it takes about a minute. */
const smokeMostMs = 480_000;

/** Aborts where this process is asked to stop. */
const stopping = new AbortController();
setMaxListeners(0, stopping.signal);
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort(name));

async function run(options: Options): Promise<number> {
  if (options.mutants)
    return (await runMutants({ ...options, seconds: 30 }, stopping.signal, say)) ? green : red;
  return options.smoke ? runSmokes(options) : runOne(options);
}

/** Two drivers at a time, each by a process of its own: what is at work in one must not hold up the proxy of another. */
async function runSmokes({ seed }: Options): Promise<number> {
  const statuses: number[] = [];
  const left = [...smoked];
  const runNext = async (): Promise<void> => {
    for (let driver = left.shift(); driver !== undefined; driver = left.shift()) {
      statuses.push(await runSmoke(driver, seed));
      if (stopping.signal.aborted) left.length = 0;
    }
  };
  await Promise.all([runNext(), runNext()]);
  return statuses.includes(red) ? red : Math.max(...statuses);
}

async function runSmoke(driver: string, seed: number): Promise<number> {
  const words = ['--driver', driver, '--seconds', String(smokeSeconds), '--seed', String(seed)];
  const child = spawn(process.execPath, [jiti, import.meta.filename, ...words], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = () => child.kill(stopping.signal.reason);
  const late = setTimeout(() => child.kill('SIGTERM'), smokeMostMs);
  stopping.signal.addEventListener('abort', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  stopping.signal.removeEventListener('abort', stop);
  clearTimeout(late);
  return code ?? red;
}

async function runOne(options: Options): Promise<number> {
  const outcome = await torture(options, stopping.signal);
  const status = redOf(outcome).length > 0 ? red : voidOf(outcome).length > 0 ? isVoid : green;
  const verdict = ['GREEN', 'RED', 'VOID: too little was met for a verdict'][status];
  const isKept = status !== green || options.keep;
  if (!isKept) outcome.remove();
  say([reportOf(outcome), '', verdict, ...(isKept ? [`ledgers: ${outcome.folder}`] : []), ''].join('\n'));
  return status;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (!existsSync(bin)) throw new Error('there is no dist: npm run build comes first');
  installServers();
  process.exitCode = await run(options);
} catch (error) {
  if (error instanceof Interrupted) {
    say(`${error.message}\n`);
    process.exit(isVoid); // what the run was about to do goes on waiting
  }
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
  process.exitCode = isVoid;
}

import { existsSync } from 'node:fs';
import { installServers } from '../support/install-servers.js';
import { runMutants } from './mutants.js';
import { type Options, readOptions, usage } from './options.js';
import { bin } from './project.js';
import { redOf, reportOf, voidOf } from './report.js';
import { torture } from './torture.js';

const [green, red, isVoid] = [0, 1, 2];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(options: Options): Promise<number> {
  if (options.mutants) return (await runMutants({ ...options, seconds: 30 }, say)) ? green : red;
  const outcome = await torture(options);
  say(reportOf(outcome));
  const status = redOf(outcome).length > 0 ? red : voidOf(outcome).length > 0 ? isVoid : green;
  say(`\n${['GREEN', 'RED', 'VOID: too little was met for a verdict'][status]}`);
  if (status === green && !options.keep) outcome.remove();
  else say(`ledgers: ${outcome.folder}`);
  return status;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (!existsSync(bin)) throw new Error('there is no dist: npm run build comes first');
  installServers();
  process.exitCode = await run(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
  process.exitCode = isVoid;
}

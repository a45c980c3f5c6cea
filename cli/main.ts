import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import yargs, { type Argv } from 'yargs';
import { packageFolder } from '../config/package-folder.js';
import { suggest } from '../config/suggest.js';
import { Args, type Flag, type Flags, usage } from './args.js';
import { checkWords } from './check-words.js';
import { type CommandEntry, fullName, shortName } from './command.js';
import { commands } from './commands/index.js';
import { exitCodes } from './exit-codes.js';
import { commonFlags } from './flags.js';
import { helpEnd } from './help.js';
import type { Io } from './io.js';
import { reporting } from './reporting.js';

/**
 * Runs one command and answers its exit code. Errors are told on stderr; never rejects.
 *
 * @param argv the words after the program's name.
 */
export function run(argv: readonly string[], io: Io): Promise<number> {
  return reporting(io, argv.includes('--json'), () => parseAndRun(argv.flatMap(joinDash), io));
}

async function parseAndRun(argv: string[], io: Io): Promise<number> {
  let code: number = exitCodes.done;
  let help = '';
  const parser = createParser(argv, io, commands, async (entry, values) => {
    const { command } = await entry.load();
    checkWords(argv, values, entry, command);
    code = await command.run(new Args(values), io);
  });
  parser.version(await ownVersion());
  const words = argv.length === 0 ? ['--help'] : argv;
  await parser.parseAsync(words, {}, (_error: unknown, _values: unknown, text: string) => {
    help = text;
  });
  if (argv.length === 0) {
    io.stderr.write(`${help}\n`);
    return exitCodes.usage;
  }
  if (help !== '') io.stdout.write(`${help}\n`);
  return code;
}

type Values = Readonly<Record<string, unknown>>;

/** What reads command lines. `call` gets what they say. */
export function createParser(
  argv: readonly string[],
  io: Pick<Io, 'stdout'>,
  entries: readonly CommandEntry[],
  call: (entry: CommandEntry, values: Values) => Promise<void>,
): Argv {
  const parser = yargs()
    .scriptName('drover')
    .usage('drover <command> [flags]')
    .detectLocale(false)
    .exitProcess(false)
    .fail((message, error) => refuse(message, error, argv))
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    })
    .alias('help', 'h')
    .wrap(Math.min(io.stdout.columns ?? 100, 110))
    .options(yargsOptions(commonFlags))
    .epilogue('drover <command> --help says more. Each command works without the prefix queue: too.')
    .command('$0', false, {}, (values) => refuseCommand(String(values._[0] ?? '')));
  for (const entry of entries) {
    const short = shortName(entry);
    parser.command({
      command: entry.usage,
      describe: entry.summary,
      ...(short !== undefined && { aliases: [short] }),
      builder: (own) => describeCommand(own, entry),
      handler: (values) => call(entry, values),
    });
  }
  return parser;
}

async function describeCommand(parser: Argv, entry: CommandEntry): Promise<Argv> {
  const { command } = await entry.load();
  for (const [name, says] of Object.entries(command.positionals ?? {})) {
    parser.positional(name, { describe: says, type: 'string' });
  }
  for (const [line, says] of command.examples) parser.example(line, says);
  return parser.options(yargsOptions(command.flags)).epilogue(helpEnd(command));
}

function yargsOptions(flags: Flags) {
  return Object.fromEntries(
    Object.entries(flags).map(([name, { kind, says, without, hidden }]: [string, Flag]) => [
      name,
      {
        type: kind === 'switch' ? ('boolean' as const) : ('string' as const),
        describe: says,
        ...(without !== undefined && { defaultDescription: without }),
        ...(hidden && { hidden }),
      },
    ]),
  );
}

/** What yargs itself complains about is a missing positional word; the rest is thrown by the command. */
function refuse(message: string | null, error: Error | undefined, argv: readonly string[]): never {
  if (message === null && error) throw error;
  const entry = commands.find((one) => argv.includes(fullName(one)) || argv.includes(shortName(one) ?? ''));
  if (entry === undefined) throw usage(message ?? 'the command line cannot be read', 'See drover --help.');
  const [, missing] = entry.usage.split(' ');
  throw usage(`${fullName(entry)} needs ${missing}`, `Usage: drover ${entry.usage}`);
}

function refuseCommand(word: string): never {
  const all = commands.map(fullName).join(', ');
  if (word === '') throw usage('no command is given', 'See drover --help.');
  const names = commands.flatMap((entry) => [fullName(entry), shortName(entry) ?? []].flat());
  const near = suggest(word, names);
  throw usage(
    `there is no command ${word}`,
    near === undefined ? `The commands are ${all}.` : `Did you mean drover ${near}?`,
  );
}

/** `--data -` as `--data=-`: a dash alone is no value to yargs. */
function joinDash(word: string, index: number, argv: readonly string[]): string[] {
  const isFlag = (one: string | undefined) => one !== undefined && /^--[^=]+$/.test(one);
  if (word === '-' && isFlag(argv[index - 1])) return [];
  return isFlag(word) && argv[index + 1] === '-' ? [`${word}=-`] : [word];
}

async function ownVersion(): Promise<string> {
  const text = await readFile(join(packageFolder(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

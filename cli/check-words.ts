import { suggest } from '../config/suggest.js';
import { usage } from './args.js';
import { type Command, type CommandEntry, fullName } from './command.js';
import { commonFlags } from './flags.js';

/**
 * Refuses what a command does not know: yargs, told to be strict, would, but without saying what was meant.
 *
 * @param values as yargs parsed them.
 * @throws QueueError `E_USAGE`.
 */
export function checkWords(
  argv: readonly string[],
  values: Readonly<Record<string, unknown>>,
  entry: CommandEntry,
  command: Command,
): void {
  const flags = { ...commonFlags, ...command.flags };
  const positionals = [...entry.usage.matchAll(/[<[](\w+)/g)].map((match) => match[1]);
  for (const name of Object.keys(values)) {
    if (name === '_' || name === '$0' || positionals.includes(name) || Object.hasOwn(flags, name)) continue;
    throw unknownFlag(name, Object.keys(flags), fullName(entry));
  }
  const extra = (values._ as unknown[])[1];
  if (extra !== undefined) {
    const data = Object.hasOwn(flags, 'data') ? dataMeant(String(extra)) : undefined;
    throw usage(
      `${fullName(entry)}: ${String(extra)} is one word too many`,
      data === undefined ? `Usage: drover ${entry.usage}` : `Did you mean --data ${data}?`,
    );
  }
  for (const word of argv) {
    const [, name = '', value] = /^--([\w-]+)=(.*)$/s.exec(word) ?? [];
    if (
      Object.hasOwn(flags, name) &&
      flags[name]?.kind === 'switch' &&
      !/^(?:true|false)$/.test(value ?? '')
    ) {
      throw usage(`--${name} takes no value`, `Write --${name}.`);
    }
  }
}

/** A word that is data as JSON, quoted for a shell, or undefined. A number or a text alone may be meant as anything. */
function dataMeant(word: string): string | undefined {
  try {
    if (!/^\s*[{[]/.test(word)) return undefined;
    JSON.parse(word);
    return word.length <= 80 && !word.includes("'") ? `'${word}'` : "'…'";
  } catch {
    return undefined;
  }
}

function unknownFlag(name: string, known: readonly string[], commandName: string) {
  const dashes = name.length === 1 ? '-' : '--';
  const near = suggest(name, known);
  return usage(
    `${commandName} has no flag ${dashes}${name}`,
    near === undefined ? `See drover ${commandName} --help.` : `Did you mean --${near}?`,
  );
}

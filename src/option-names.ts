import { QueueError } from './errors.js';

const noOtherNames: Readonly<Record<string, string>> = {};

/** Options of another package that belong elsewhere. */
export interface MisplacedOptions {
  readonly names: readonly string[];
  /** Where they belong, as a sentence. */
  readonly fix: string;
}

/**
 * Refuses options that a function does not know: a mistyped `lease` would otherwise leave the default in force.
 *
 * @param owner names the function in the error.
 * @param otherNames what options that elsewhere are called so are called here.
 * @param misplaced those of the package behind a driver.
 * @throws QueueError `E_CONFIG` naming the unknown options, the known ones, and what was probably meant.
 */
export function checkOptionNames(
  options: object,
  known: readonly string[],
  owner: string,
  otherNames = noOtherNames,
  misplaced?: MisplacedOptions,
): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw unknownOptions(options, known, owner, otherNames, misplaced);
  }
}

function unknownOptions(
  options: object,
  known: readonly string[],
  owner: string,
  otherNames: Readonly<Record<string, string>>,
  misplaced: MisplacedOptions | undefined,
): QueueError {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  const calledHere = unknown.flatMap((name) => (Object.hasOwn(otherNames, name) ? [otherNames[name]] : []));
  const meant = unknown.flatMap((name) => known.filter((other) => isNear(name, other)));
  const hints = [...new Set([...calledHere, ...meant.map(explained)])].join(', ');
  const all = `The options are ${known.join(', ')}.`;
  const isMisplaced = unknown.some((name) => misplaced?.names.includes(name));
  const guess = hints === '' ? all : `Did you mean ${hints}? ${all}`;
  const isRenamed = unknown.length === 1 && calledHere.length === 1;
  const fix = isMisplaced
    ? `${misplaced?.fix} ${all}`
    : isRenamed
      ? `Here it is called ${calledHere[0]}.`
      : guess;
  return new QueueError('E_CONFIG', `${owner}: there is no option ${unknown.join(', ')}`, { fix });
}

function explained(name: string): string {
  return name === 'retry_after' ? 'retry_after (lease, in seconds)' : name;
}

/** True for words that are one slip apart: a letter too many, too few, wrong or swapped, or other separators. */
function isNear(word: string, other: string): boolean {
  const [one, two] = [word, other].map((name) => {
    const letters = name.toLowerCase().replace(/[_-]/g, '');
    return [letters, ...Array.from(letters, (_, at) => letters.slice(0, at) + letters.slice(at + 1))];
  });
  return one?.some((letters) => two?.includes(letters)) ?? false;
}

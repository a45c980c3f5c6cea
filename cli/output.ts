import { createRequire } from 'node:module';
import type { Io, TextSink } from './io.js';
import { safeJson } from './plain-text.js';

/** Functions that colour text, or leave it as it is. */
export type Colors = Readonly<
  Record<'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta', (text: string) => string>
>;

const noColors: Colors = {
  dim: String,
  red: String,
  green: String,
  yellow: String,
  cyan: String,
  magenta: String,
};

/** What a command prints its results with: lines for people, or one JSON object a line. */
export interface Output {
  /** True for `--json`. */
  readonly json: boolean;
  readonly colors: Colors;
  /** Prints a line for people. What it holds of payloads, names and errors must have gone through `plain`. */
  line(text: string): void;
  /** Prints an object as one line of JSON. */
  object(value: object): void;
}

/**
 * The output of a command on stdout.
 *
 * @param group of worker processes that each line is marked with.
 */
export function createOutput(io: Pick<Io, 'stdout' | 'env'>, json: boolean, group?: string): Output {
  const colors = colorsFor(io.stdout, io.env);
  const mark = groupMark(colors, group);
  return {
    json,
    colors,
    line: (text) => void io.stdout.write(`${mark}${text}\n`),
    object: (value) =>
      void io.stdout.write(`${safeJson(group === undefined ? value : { ...value, group })}\n`),
  };
}

/** What lines for people begin with where several groups write to one terminal or file. */
export function groupMark(colors: Colors, group: string | undefined): string {
  return group === undefined ? '' : `${colors.magenta(group)} | `;
}

/** Colours for a sink: on at a terminal, unless NO_COLOR says no; on elsewhere where FORCE_COLOR says yes. */
export function colorsFor(sink: TextSink, env: NodeJS.ProcessEnv): Colors {
  return wantsColors(sink, env) ? loadColors() : noColors;
}

/** Where they are wanted only: workers write to files and pipes. As what it is, CommonJS, which loads three times as fast. */
function loadColors(): Colors {
  const picocolors: typeof import('picocolors') = createRequire(import.meta.url)('picocolors');
  return picocolors.createColors(true);
}

/** Whether a sink gets colours; see {@link colorsFor}. */
export function wantsColors(sink: TextSink, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return sink.isTTY === true && env.TERM !== 'dumb';
}

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Entry, missing, selected } from './contenders.js';
import { type MeasureName, measures } from './measures.js';
import { type Options, readOptions } from './options.js';
import { Results } from './results.js';
import { type Server, servers } from './servers.js';

/** Each repetition has all contenders in it, side by side, so that a noisy minute is everybody's. */
async function measureAll(server: Server, options: Options): Promise<Results> {
  const results = new Results();
  const entries = selected(options.store, options.peers).filter((entry) => {
    const why = missing(entry);
    if (why !== undefined) results.skip(entry.name, why);
    return why === undefined;
  });
  for (let repetition = 0; repetition < options.repeat; repetition++) {
    for (const measure of options.measures) {
      for (const entry of rotated(entries, repetition))
        await measureOne(measure, entry, server, options, results);
    }
  }
  return results;
}

async function measureOne(
  measure: MeasureName,
  entry: Entry,
  server: Server,
  { sizes, profileTo }: Options,
  results: Results,
): Promise<void> {
  const what = `${entry.name}, ${measure}`;
  if (
    results.isSkipped(what) ||
    (entry.commandLine && measure.startsWith('push')) ||
    entry.only?.includes(measure) === false
  )
    return;
  console.error(what);
  try {
    const setting = { entry, server, sizes, ...(profileTo !== undefined && { profileTo }) };
    results.add(entry.name, await measures[measure](setting));
  } catch (error) {
    results.skip(what, error instanceof Error ? error.message : String(error));
  }
}

/** Another contender goes first in each repetition. */
function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const from = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const options = optionsOrExit();
const server = await servers[options.store](options);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(1)));
}
try {
  const results = await measureAll(server, options);
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores, ${options.store}\n\n${results.text}`,
  );
  if (options.json !== undefined) {
    const about = { at: new Date(), node: process.version, cores: availableParallelism(), options };
    writeFileSync(options.json, `${JSON.stringify({ ...about, ...results.toJSON() }, null, 2)}\n`);
  }
} finally {
  await server.stop();
}

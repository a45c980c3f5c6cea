import { writeFileSync } from 'node:fs';
import { chart } from './chart.js';
import type { Store } from './contender.js';
import { type Entry, missing, selected } from './contenders.js';
import { type MeasureName, measures } from './measures.js';
import { type Options, readOptions } from './options.js';
import { overview } from './overview.js';
import { Report } from './report.js';
import type { Results } from './results.js';
import { type Server, servers } from './servers.js';
import { targetsText } from './targets.js';

/** Each repetition has all contenders in it, side by side, so that a noisy minute is everybody's. */
async function measureAll(store: Store, server: Server, options: Options, results: Results): Promise<void> {
  const entries = selected(store, options.peers).filter((entry) => {
    if (options.without.includes(entry.name)) return false;
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
}

async function measureOne(
  measure: MeasureName,
  entry: Entry,
  server: Server,
  { sizes, profileTo }: Options,
  results: Results,
): Promise<void> {
  const what = `${entry.name}, ${measure}`;
  if (results.isSkipped(what) || (entry.commandLine && measure.startsWith('push'))) return;
  if (entry.only?.includes(measure) === false) return;
  const why = entry.not?.[measure];
  if (why !== undefined) return results.skip(what, why);
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

/** Starts the store, measures, and stops it. */
async function measureStore(store: Store, options: Options, report: Report): Promise<void> {
  const server = await servers[store](options);
  const stopEarly = () => {
    finish(options, report); // what was measured until then
    void server.stop().finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopEarly);
  try {
    await measureAll(store, server, options, report.of(store));
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stopEarly);
    await server.stop();
  }
}

function finish({ targets, overview: isShort, json, svg }: Options, report: Report): void {
  if (json !== undefined) report.save(json);
  console.log(isShort ? overview(report) : report.text);
  if (targets) console.log(`\n## targets\n\n${targetsText(report)}`);
  if (svg !== undefined) writeFileSync(svg, chart(report));
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
const report = new Report();
for (const file of options.merge) report.load(file);
if (options.merge.length === 0) {
  for (const store of options.stores) await measureStore(store, options, report);
}
finish(options, report);

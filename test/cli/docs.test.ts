import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CommandEntry, fullName } from '../../cli/command.js';
import { commands } from '../../cli/commands/index.js';
import { exitCodes } from '../../cli/exit-codes.js';
import { commonFlags, queueWorkFlags } from '../../cli/flags.js';
import builtIn from '../../config/queue.js';
import { traitsOf } from '../../drivers/database/traits.js';
import { listedStates } from '../../src/index.js';
import { mostAhead } from '../../src/prefetch.js';

const text = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const sections = text.split(/^## /m);

function sectionOf(entry: CommandEntry): string {
  return sections.find((section) => section.split('\n')[0]?.split(' and ').includes(fullName(entry))) ?? '';
}

test.each(commands.map((entry) => [fullName(entry), entry] as const))(
  'docs/cli.md on %s',
  async (_, entry) => {
    const { command } = await entry.load();
    const section = sectionOf(entry);
    expect(section).toContain(`drover ${fullName(entry)}`);
    const written = new Set([...section.matchAll(/--([a-z][a-z-]*)/g)].map(([, flag]) => flag as string));
    const taken = Object.entries(command.flags).filter(([, flag]) => !flag.hidden);
    for (const [name] of taken) expect(written, `--${name} is missing`).toContain(name);
    const known = new Set([...Object.keys(commonFlags), ...taken.map(([name]) => name)]);
    if (fullName(entry) === 'queue:forget') return; // shares its section with queue:flush
    // A section may speak of another command's mode, as that of queue:restart does.
    for (const name of written) if (name !== 'once') expect(known, `--${name} is not taken`).toContain(name);
  },
);

test('docs/cli.md on queue:work has the defaults that its help has', () => {
  const section = sections.find((one) => one.startsWith('queue:work\n')) ?? '';
  const rows = [...section.matchAll(/^\| `--([a-z-]+).*\| (.*) \|$/gm)];
  const written = new Map(rows.map(([, flag, text = '']) => [flag, text.replaceAll('`', '')]));
  for (const [name, { without, hidden }] of Object.entries(queueWorkFlags))
    if (without !== undefined && !hidden) expect(written.get(name)?.replace(/ \(.*/, ''), name).toBe(without);
});

test('the default of --prefetch is what the worker and the database driver say', () => {
  const [onPostgres, onSqlite] = [traitsOf('postgres').prefetch, traitsOf('sqlite').prefetch];
  expect(traitsOf('mysql').prefetch).toBeUndefined();
  expect(queueWorkFlags.prefetch?.without).toBe(
    `${mostAhead}, on Redis 400, on PostgreSQL ${onPostgres}, on SQLite ${onSqlite}`,
  );
});

test('the list of commands names the states that queue:list takes', () => {
  const { summary } = commands.find((entry) => fullName(entry) === 'queue:list') as CommandEntry;
  expect(summary).toBe(`List jobs by state: ${listedStates.filter((state) => state !== 'all').join(', ')}`);
});

test('connections in the examples of the help are those of the built-in config', async () => {
  const known = Object.keys(builtIn.connections);
  for (const entry of commands.filter(({ usage }) => usage.includes('[connection]'))) {
    const { command } = await entry.load();
    for (const [line] of command.examples) {
      const [, connection] = /^drover \S+ (\w\S*)/.exec(line) ?? [];
      if (connection !== undefined) expect(known, line).toContain(connection);
    }
  }
});

test('docs/cli.md on exit codes', () => {
  for (const code of [...Object.values(exitCodes), 130, 143]) {
    expect(text).toMatch(new RegExp(`^\\| (?:\\d+, )?${code}[ ,]`, 'm'));
  }
});

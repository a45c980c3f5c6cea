import type { Connector } from '../../src/index.js';
import { holds, offered } from './steps.js';

/** Fails the case unless just these workers are listed, each with what it said last. */
export async function expectEntries(
  rule: string,
  connector: Connector,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = await offered(connector).workers.list();
  const found = Object.fromEntries(entries.map(({ id, about }) => [id, about]));
  holds(rule, sorted(found), sorted(expected));
  holds(
    `${rule}: their beats still hold`,
    entries.every(({ leftMs }) => leftMs > 0),
    true,
  );
}

function sorted(entries: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
}

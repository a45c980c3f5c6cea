import { type QueueConfig, QueueError } from '../src/index.js';
import type { Environment } from './environment.js';
import { suggest } from './suggest.js';

/** Whence the name of the default connection may come, beside the config. */
export interface ConnectionChoice {
  /** Named by a flag. */
  readonly connection?: string | undefined;
  readonly env: Environment;
}

/** The connection that the config itself makes the default: as named, or the only one, or `default`. */
export function defaultConnection({ default: named, connections }: QueueConfig): string {
  if (typeof named === 'string') return named;
  const [only, ...others] = Object.keys(connections);
  return only !== undefined && others.length === 0 ? only : 'default';
}

/** The connection that a flag or else `QUEUE_CONNECTION` names; undefined where neither does. */
export function chosenConnection({ connection, env }: ConnectionChoice): string | undefined {
  // An empty variable is how compose files and .env files say that there is none.
  return connection ?? (env.QUEUE_CONNECTION || undefined);
}

/**
 * Asserts that the config has the connection that was chosen.
 *
 * @throws QueueError `E_CONNECTION_UNKNOWN` naming the variable, where that made the choice, and the connections.
 */
export function assertChosen({ connections }: QueueConfig, choice: ConnectionChoice): void {
  const name = chosenConnection(choice);
  if (name === undefined || Object.hasOwn(connections, name)) return;
  const names = Object.keys(connections);
  const near = suggest(name, names);
  const origin = choice.connection === undefined ? 'QUEUE_CONNECTION: ' : '';
  throw new QueueError(
    'E_CONNECTION_UNKNOWN',
    `${origin}there is no connection ${JSON.stringify(name)}; the config has ${names.join(', ')}`,
    {
      fix: near === undefined ? `Choose ${names.join(' or ')}.` : `Did you mean ${near}?`,
    },
  );
}

import { database } from '../drivers/database/index.js';

/**
 * Environment variables by name, such as `process.env`. Spelled out, as `NodeJS.ProcessEnv` is unknown to
 * applications without @types/node.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What to do about a `DATABASE_URL` that the database driver refuses, or undefined where it does not. Shows its
 * scheme at most: the rest has a password in it.
 *
 * @param refused the message of the driver about a URL; any other than it has for the variable is not about it.
 */
export function databaseUrlFix(refused: string, { DATABASE_URL: url }: Environment): string | undefined {
  if (!url || refused !== refusalOf(url)) return undefined;
  const [, named] = /^url: ([a-z0-9+]+): /.exec(refused) ?? [];
  const kind = named === undefined ? 'no URL that can be used' : `a ${named}: URL`;
  return `DATABASE_URL is set, to ${kind}. Unset DATABASE_URL (or empty it: DATABASE_URL= npx drover …), or set it to the URL of a SQLite, MySQL or PostgreSQL database.`;
}

function refusalOf(url: string): string | undefined {
  try {
    database(url);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : undefined;
  }
}

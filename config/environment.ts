/**
 * Environment variables by name, such as `process.env`. Spelled out, as `NodeJS.ProcessEnv` is unknown to
 * applications without @types/node.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What to do about a `DATABASE_URL` that this version cannot use, or undefined where the variable is unset or
 * names a SQLite file. Shows its scheme at most: the rest has a password in it.
 *
 * @param refused the message of the driver about a URL; one that names another scheme is not about the variable.
 */
export function databaseUrlFix(refused: string, env: Environment): string | undefined {
  const { DATABASE_URL: url } = env;
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url ?? '')?.[1]?.toLowerCase();
  if (!url || !refused.startsWith('url: ') || scheme === 'sqlite' || scheme === 'file') return undefined;
  const [, named] = /^url: ([a-z0-9+]+): /.exec(refused) ?? [];
  if (named !== undefined && named !== scheme) return undefined;
  const kind = named === undefined ? 'no sqlite: URL' : `a ${named}: URL`;
  return `DATABASE_URL is set, to ${kind}. Unset DATABASE_URL (or empty it: DATABASE_URL= npx drover …), or set it to a sqlite: URL.`;
}

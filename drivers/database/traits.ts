import type { DatabaseSettings } from './settings.js';
import type { DatabaseKind } from './target.js';

/** What is to be known of a dialect before it is loaded. */
export interface Traits {
  /** How far apart the looks of an idle worker are, in ms: with its beats it may ask once a second. */
  readonly lookMs: number;
  /** How far apart beats should be, in ms. */
  readonly beatMs: number;
  /** True where looks take beats along. */
  readonly beatsGoAlong?: boolean;
  /** As of the connector. */
  readonly prefetch?: number;
  /** As of the connector. */
  readonly isInProcess?: boolean;
}

const traits: Readonly<Record<DatabaseKind, Traits>> = {
  // Beats have a statement of their own here: with them it is one a second, and so they are few.
  mysql: { lookMs: 1050, beatMs: 20_000 },
  // While a commit waits for the disk hundreds of quick jobs are done, and a trip brings half of what may be held. Not on MySQL
  // and MariaDB, where batches this large now and then lock entries of an index in each other's way.
  postgres: { lookMs: 1000, beatMs: 10_000, beatsGoAlong: true, prefetch: 600 },
  // Every write to the file makes all idle workers of other processes look for jobs a few times.
  // What is held when V8 collects makes its young generation grow: nothing is between batches of this size.
  sqlite: { lookMs: 1000, beatMs: 15_000, prefetch: 54, isInProcess: true },
};

/** The traits of a kind of database. */
export function traitsOf(kind: DatabaseKind): Traits {
  return traits[kind];
}

/** False where nobody else can change anything: a database in memory is one connection's. */
export function isShared({ target }: DatabaseSettings): boolean {
  return target.kind !== 'sqlite' || target.file !== undefined;
}

/** True where waiting workers hear only of what they are told. PHP tells nobody of its jobs. */
export function needsTelling({ target, notify, php }: DatabaseSettings): boolean {
  return target.kind === 'postgres' && notify && php === undefined;
}

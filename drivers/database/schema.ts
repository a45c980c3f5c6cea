import { migrations, type SchemaKnex, type TableNames } from '../../migrations/index.js';
import { QueueError } from '../../src/index.js';
import type { AppliedStep, Dialect, PlannedStep } from './dialects/dialect.js';

/**
 * How the tables of a connection compare with this version's migrations. `usable` where nothing is missing that jobs
 * need; `unknown` where no step is on record: there are no tables yet, or the application's own migrations made them.
 */
export type SchemaState = 'current' | 'usable' | 'outdated' | 'unknown';

/**
 * Compares the schema with one read.
 *
 * @throws QueueError `E_STORE_SCHEMA` for a schema newer than this version of drover, whose rows may mean
 * what this version does not know.
 */
export async function schemaState<Connection>(
  dialect: Dialect<Connection>,
  connection: Connection,
  tables: TableNames,
): Promise<SchemaState> {
  const applied = await dialect.history.applied(connection, tables);
  refuseNewer(applied, dialect.place);
  const missing = missingFrom(applied, tables);
  if (missing.length === 0) return 'current';
  if (missing.every(({ isOptional }) => isOptional)) return 'usable';
  return applied.length === 0 ? 'unknown' : 'outdated';
}

/**
 * Takes the steps that the schema lacks. Safe in several processes at once: one takes them, and the others
 * find them taken.
 *
 * @returns the names of the steps taken here.
 * @throws QueueError `E_STORE_SCHEMA` for a newer schema.
 */
export async function migrate<Connection>(
  dialect: Dialect<Connection>,
  connection: Connection,
  knex: SchemaKnex,
  tables: TableNames,
): Promise<string[]> {
  const steps = await dialect.history.apply(connection, tables, (applied) => {
    refuseNewer(applied, dialect.place);
    return stepsOf(missingFrom(applied, tables), knex, tables);
  });
  return steps.map(({ name }) => name);
}

/**
 * The statements that `migrate` would run, for somebody else to run; none where the schema is current.
 *
 * @throws QueueError `E_STORE_SCHEMA` for a newer schema.
 */
export async function pendingScript<Connection>(
  dialect: Dialect<Connection>,
  connection: Connection,
  knex: SchemaKnex,
  tables: TableNames,
): Promise<string[]> {
  const applied = await dialect.history.applied(connection, tables);
  refuseNewer(applied, dialect.place);
  const missing = missingFrom(applied, tables);
  return missing.length === 0 ? [] : dialect.history.script(stepsOf(missing, knex, tables));
}

/** The statements that make the whole schema. Nothing is connected to. */
export function wholeScript(
  { history }: Pick<Dialect<never>, 'history'>,
  knex: SchemaKnex,
  tables: TableNames,
): string[] {
  return history.script(stepsOf(migrations, knex, tables));
}

function stepsOf(steps: typeof migrations, knex: SchemaKnex, tables: TableNames): PlannedStep[] {
  return steps.map((migration) => {
    const statements = [migration.up(knex, tables).toSQL()].flat().map(({ sql }) => sql);
    return { name: migration.name, table: tables[migration.table], statements };
  });
}

/** The error for a schema that an older version of drover made and nobody has brought up to date. */
export function outdatedSchema(place: string): QueueError {
  return new QueueError('E_STORE_SCHEMA', `${place} has the schema of an older version of drover`, {
    fix: 'Run: drover queue:migrate',
  });
}

/** The steps taken that this version does not know. */
export function newerIn(applied: readonly AppliedStep[]): string[] {
  const known = new Set(migrations.map(({ name }) => name));
  return applied.map(({ name }) => name).filter((name) => !known.has(name));
}

function refuseNewer(applied: readonly AppliedStep[], place: string): void {
  const newer = newerIn(applied);
  if (newer.length === 0) return;
  const what = `${place} was migrated by a newer version of drover (${newer.join(', ')})`;
  throw new QueueError('E_STORE_SCHEMA', what, {
    fix: 'Update drover here to the version that migrated it.',
  });
}

/** The steps that were not taken, oldest first. */
export function missingFrom(applied: readonly AppliedStep[], tables: TableNames): typeof migrations {
  const isTaken = (name: string, table: string): boolean =>
    applied.some((step) => step.name === name && step.table.toLowerCase() === table.toLowerCase());
  return migrations.filter(({ name, table }) => !isTaken(name, tables[table]));
}

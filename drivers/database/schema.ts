import type { SchemaKnex, TableNames } from '../../migrations/index.js';
import { QueueError } from '../../src/index.js';
import type { AppliedStep, Dialect, PlannedStep } from './dialects/dialect.js';
import { knownSteps, type SchemaStep } from './schema-steps.js';

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
  steps: readonly SchemaStep[],
): Promise<SchemaState> {
  const applied = await dialect.history.applied(connection, tables);
  refuseNewer(applied, dialect.place);
  const missing = missingFrom(applied, tables, steps);
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
  steps: readonly SchemaStep[],
): Promise<string[]> {
  const isThere = await tablesThere(dialect, connection, tables, steps);
  const taken = await dialect.history.apply(connection, tables, (applied) => {
    refuseNewer(applied, dialect.place);
    return planned(missingFrom(applied, tables, steps), knex, tables, isThere);
  });
  return taken.map(({ name }) => name);
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
  steps: readonly SchemaStep[],
): Promise<string[]> {
  const applied = await dialect.history.applied(connection, tables);
  refuseNewer(applied, dialect.place);
  const missing = missingFrom(applied, tables, steps);
  if (missing.length === 0) return [];
  const isThere = await tablesThere(dialect, connection, tables, steps);
  return dialect.history.script(planned(missing, knex, tables, isThere));
}

/** The statements that make the whole schema. Nothing is connected to. */
export function wholeScript(
  { history }: Pick<Dialect<never>, 'history'>,
  knex: SchemaKnex,
  tables: TableNames,
  steps: readonly SchemaStep[],
): string[] {
  return history.script(planned(steps, knex, tables, new Set()));
}

function planned(
  steps: readonly SchemaStep[],
  knex: SchemaKnex,
  tables: TableNames,
  isThere: ReadonlySet<string>,
): PlannedStep[] {
  return steps.map(({ name, table, isForeign, statements }) => ({
    name,
    table: tables[table],
    // What another program made is left as it is.
    statements: isForeign && isThere.has(tables[table]) ? [] : statements(knex, tables),
  }));
}

/** Those of the tables that other programs may have made which are there. */
async function tablesThere<Connection>(
  { health }: Pick<Dialect<Connection>, 'health'>,
  connection: Connection,
  tables: TableNames,
  steps: readonly SchemaStep[],
): Promise<Set<string>> {
  const isThere = new Set<string>();
  for (const { table, isForeign } of steps) {
    if (isForeign && (await health.indexes(connection, tables[table])) !== undefined)
      isThere.add(tables[table]);
  }
  return isThere;
}

/** The error for a schema that an older version of drover made and nobody has brought up to date. */
export function outdatedSchema(place: string): QueueError {
  return new QueueError('E_STORE_SCHEMA', `${place} has the schema of an older version of drover`, {
    fix: 'Run: drover queue:migrate',
  });
}

/** The steps taken that this version does not know. */
export function newerIn(applied: readonly AppliedStep[]): string[] {
  return applied.map(({ name }) => name).filter((name) => !knownSteps.has(name));
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
export function missingFrom(
  applied: readonly AppliedStep[],
  tables: TableNames,
  steps: readonly SchemaStep[],
): readonly SchemaStep[] {
  const isTaken = (name: string, table: string): boolean =>
    applied.some((step) => step.name === name && step.table.toLowerCase() === table.toLowerCase());
  return steps.filter(({ name, table }) => !isTaken(name, tables[table]));
}

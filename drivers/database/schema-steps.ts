import { migrations, type SchemaKnex, type TableNames } from '../../migrations/index.js';
import type { TableProfile } from './profiles/profile.js';
import { profileTables } from './profiles/profile-tables.js';

/** One step of a connection's schema, about one of its tables. */
export interface SchemaStep {
  /** Stands in the history table: never changed once released. */
  readonly name: string;
  readonly table: keyof Omit<TableNames, 'schema'>;
  /** True where jobs are worked all the same while the step is not taken. */
  readonly isOptional?: boolean;
  /** True where another program makes this table too: one that is there is left as it is. */
  readonly isForeign?: boolean;
  statements(knex: SchemaKnex, tables: TableNames): string[];
}

/** The steps of drover's own tables, oldest first. */
export const nativeSteps: readonly SchemaStep[] = migrations.map((migration) => ({
  name: migration.name,
  table: migration.table,
  ...(migration.isOptional && { isOptional: true }),
  statements: (knex, tables) => [migration.up(knex, tables).toSQL()].flat().map(({ sql }) => sql),
}));

/** The steps of a connection whose jobs and failed jobs are in PHP's tables: it needs drover's other tables as well. */
export function stepsBeside({ made }: TableProfile): readonly SchemaStep[] {
  const own = nativeSteps.filter(({ table }) => table !== 'jobs' && table !== 'failedJobs');
  return [foreignStep('jobs', made.jobs), foreignStep('failedJobs', made.failedJobs), ...own];
}

function foreignStep(table: 'jobs' | 'failedJobs', name: keyof typeof profileTables): SchemaStep {
  return {
    name,
    table,
    isForeign: true,
    statements: ({ client }, tables) => profileTables[name](client.dialect, tables[table], tables.schema),
  };
}

/** The names of all steps that this version knows. */
export const knownSteps: ReadonlySet<string> = new Set([
  ...nativeSteps.map(({ name }) => name),
  ...Object.keys(profileTables),
]);

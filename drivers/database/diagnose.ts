import type { TableNames } from '../../migrations/index.js';
import { type Clock, clockFinding, type Finding } from '../../src/index.js';
import { indexesOf, indexFindings, schemaFinding } from './schema-rules.js';
import type { SchemaStep } from './schema-steps.js';
import type { Session } from './session.js';

/** Asks a database how its tables and its settings are. Changes nothing. */
export function diagnoseDatabase<Connection>(
  session: Session<Connection>,
  about: {
    readonly tables: TableNames;
    readonly steps: readonly SchemaStep[];
    readonly autoMigrate: boolean;
    readonly clock: Clock;
  },
): Promise<Finding[]> {
  const { tables, steps, autoMigrate, clock } = about;
  return session.look(async (connection, { history, health }) => {
    const applied = await history.applied(connection, tables);
    const jobs = await health.indexes(connection, tables.jobs);
    const failedJobs = await health.indexes(connection, tables.failedJobs);
    const hasTables = jobs !== undefined && failedJobs !== undefined;
    const findings: Finding[] = [
      schemaFinding(applied, tables, { steps, hasTables, autoMigrate }),
      ...indexFindings(tables, { jobs, failedJobs }, indexesOf(steps)),
      ...(await health.findings(connection)),
    ];
    if (health.nowMs === undefined) return findings;
    const askedMs = clock.now();
    const storeMs = await health.nowMs(connection);
    return [...findings, clockFinding(askedMs, storeMs, clock.now())];
  });
}

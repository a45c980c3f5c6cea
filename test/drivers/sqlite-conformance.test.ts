import { runConformance } from '../support/run-conformance.js';
import { sqliteHarness } from '../support/sqlite-harness.js';

runConformance(sqliteHarness);

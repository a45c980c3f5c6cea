import { bodyCases } from './cases/body.js';
import { closeCases } from './cases/close.js';
import { concurrencyCases } from './cases/concurrency.js';
import { deleteAndReserveCases } from './cases/delete-and-reserve.js';
import { diagnoseCases } from './cases/diagnose.js';
import { failCases } from './cases/fail.js';
import { failedStoreCases } from './cases/failed-store.js';
import { fencingCases } from './cases/fencing.js';
import { historyCases } from './cases/history.js';
import { leaseCases } from './cases/lease.js';
import { migrateCases } from './cases/migrate.js';
import { orderCases } from './cases/order.js';
import { peekCases } from './cases/peek.js';
import { postponeCases } from './cases/postpone.js';
import { pushCases } from './cases/push.js';
import { realTimeCases } from './cases/real-time.js';
import { releaseThrownCases } from './cases/release-thrown.js';
import { reserveCases } from './cases/reserve.js';
import { retryCases } from './cases/retry.js';
import { settleCases } from './cases/settle.js';
import { signalCases } from './cases/signals.js';
import { sizeAndClearCases } from './cases/size-clear.js';
import { statisticsCases } from './cases/statistics.js';
import { unreserveCases } from './cases/unreserve.js';
import { waitCases } from './cases/wait.js';
import { workerCases } from './cases/workers.js';
import type { ConformanceCase } from './harness.js';

export type { Capability, ConformanceCase, ConformanceHarness, HarnessFactory } from './harness.js';
export { checkLedger } from './ledger/check.js';
export type { FaultEvent, LedgerEvent, LedgerRules, Remains } from './ledger/events.js';
export type { Verdict } from './ledger/verdict.js';
export { type CaseResult, offeredCapabilities, runCase } from './run-case.js';

/** Every rule of the contract of a connector as a case, for `runCase`. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...pushCases,
  ...orderCases,
  ...reserveCases,
  ...leaseCases,
  ...settleCases,
  ...fencingCases,
  ...deleteAndReserveCases,
  ...unreserveCases,
  ...postponeCases,
  ...releaseThrownCases,
  ...failCases,
  ...failedStoreCases,
  ...retryCases,
  ...sizeAndClearCases,
  ...bodyCases,
  ...concurrencyCases,
  ...waitCases,
  ...signalCases,
  ...workerCases,
  ...statisticsCases,
  ...historyCases,
  ...peekCases,
  ...migrateCases,
  ...diagnoseCases,
  ...closeCases,
  ...realTimeCases,
];

import type { Capability, ConformanceCase } from '../harness.js';
import { holds, holdsSize, jobs, offered, pushAndReserve, reserveAll } from '../steps.js';

const needs: readonly Capability[] = ['migrate'];

/** Bringing the store's schema up to date. */
export const migrateCases: readonly ConformanceCase[] = [
  {
    name: 'migrate: leaves a schema that can be used, and has nothing to do the second time',
    needs,
    async run({ connector, other }) {
      await offered(connector).migrate();
      holds('a second migrate does nothing', await offered(connector).migrate(), []);
      holds('nor does one of another connector', await offered(other).migrate(), []);
      await pushAndReserve(connector);
    },
  },
  {
    name: 'migrate: leaves the jobs alone',
    needs,
    async run({ connector, other }) {
      await offered(connector).migrate();
      const { lease } = await pushAndReserve(connector);
      await connector.push('q', jobs(2));
      await offered(other).migrate();
      await holdsSize('migrate keeps all jobs', other, { ready: 2, reserved: 1 });
      holds('migrate keeps leases', await connector.delete([lease]), [true]);
      holds('migrate keeps what waits', (await reserveAll(connector)).length, 2);
    },
  },
];

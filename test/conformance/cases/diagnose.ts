import assert from 'node:assert/strict';
import type { Finding } from '../../../src/index.js';
import type { ConformanceCase } from '../harness.js';
import { holds, holdsSize, jobs, offered, pushAndReserve } from '../steps.js';

/** What a store says of itself. */
export const diagnoseCases: readonly ConformanceCase[] = [
  {
    name: 'diagnose: each finding names its check and says what was found, and what to change where it is not ok',
    needs: ['diagnose'],
    async run({ connector }) {
      await connector.push('q', jobs(1));
      const findings = await offered(connector).diagnose();
      assert.ok(findings.length > 0, 'diagnose answers what it looked at, also where all is well');
      for (const finding of findings) holds(`${finding.check} is a whole finding`, problemsOf(finding), []);
    },
  },
  {
    name: 'diagnose: changes nothing, and can be repeated',
    needs: ['diagnose'],
    async run({ connector, other }) {
      const { lease } = await pushAndReserve(connector);
      await connector.push('q', jobs(2));
      const first = await offered(connector).diagnose();
      const second = await offered(other).diagnose();
      const statusOf = (findings: readonly Finding[]) => findings.map(({ check, status }) => [check, status]);
      holds('the same is found again', statusOf(second), statusOf(first));
      await holdsSize('diagnose leaves the jobs alone', other, { ready: 2, reserved: 1 });
      holds('and the leases', await connector.delete([lease]), [true]);
    },
  },
];

function problemsOf({ check, status, message, fix }: Finding): string[] {
  const problems: string[] = [];
  if (!/^[a-z][a-z-]*$/.test(check)) problems.push('its check is no name of letters and dashes');
  if (!['ok', 'warning', 'error'].includes(status)) problems.push(`its status is ${status}`);
  if (message === '' || message.includes('\n')) problems.push('its message is not one sentence');
  if ((status !== 'ok') !== (fix !== undefined)) problems.push('it has a fix just where it is not ok');
  return problems;
}

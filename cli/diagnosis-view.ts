import { withoutCredentials } from '../src/credentials.js';
import type { Finding } from '../src/index.js';
import type { Colors } from './output.js';
import { plain } from './plain-text.js';

/** What was found of one connection. */
export interface Diagnosis {
  readonly connection: string;
  readonly findings: readonly Finding[];
}

/** One connection's findings as a table, with what to change under each that is not ok. */
export function diagnosisText({ connection, findings }: Diagnosis, colors: Colors): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const paints = { ok: colors.green, warning: colors.yellow, error: colors.red };
  const lines = findings.flatMap(({ check, status, message, fix }) => {
    const start = `  ${paints[status](status.padEnd(7))}  ${plain(check).padEnd(width)}`;
    const line = `${start}  ${shown(message)}`;
    return fix === undefined
      ? [line]
      : [line, `${' '.repeat(width + 13)}${colors.dim('fix:')} ${shown(fix)}`];
  });
  return [`connection ${plain(connection)}`, ...lines].join('\n');
}

/** A finding as one JSON object. */
export function findingObject(connection: string, { check, status, message, fix }: Finding): object {
  return {
    connection,
    check,
    status,
    message: withoutCredentials(message),
    ...(fix !== undefined && { fix: withoutCredentials(fix) }),
  };
}

/** How many findings are not ok, in words. */
export function summaryText(findings: readonly Finding[]): string {
  const errors = findings.filter(({ status }) => status === 'error').length;
  const warnings = findings.filter(({ status }) => status === 'warning').length;
  if (errors + warnings === 0) return 'all is well';
  return [counted(errors, 'error'), counted(warnings, 'warning')].filter((part) => part !== '').join(', ');
}

function counted(count: number, what: string): string {
  if (count === 0) return '';
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Messages of stores may hold anything, an address with its password among them. */
function shown(text: string): string {
  return plain(withoutCredentials(text));
}

import type { Finding } from '../../src/index.js';

/** What a server says of itself. */
export interface ServerFacts {
  /** The fields of INFO; undefined where this user may not ask. */
  readonly info: ReadonlyMap<string, string> | undefined;
  /** The rule for snapshots, `''` for none; undefined where this user may not ask. */
  readonly saves: string | undefined;
}

/** What of a server's set-up can lose jobs or stop the queue. Pure. */
export function serverFindings({ info, saves }: ServerFacts): Finding[] {
  if (info === undefined) {
    const message = 'this user may not run INFO: version, eviction and persistence were not looked at';
    const fix = 'Grant it +info, or look at the settings of the server yourself.';
    return [{ check: 'rights', status: 'warning', message, fix }];
  }
  const asked = (field: string): string => info.get(field) ?? '';
  return [
    versionFinding(asked('redis_version')),
    roleFinding(asked('role')),
    evictionFinding(asked('maxmemory_policy'), Number(asked('maxmemory'))),
    memoryFinding(Number(asked('used_memory')), Number(asked('maxmemory'))),
    persistenceFinding({
      isAppending: asked('aof_enabled') === '1',
      isBroken: asked('aof_last_write_status') === 'err' || asked('rdb_last_bgsave_status') === 'err',
      saves,
    }),
  ];
}

/** What is found at several servers: what all say alike once, and else each with its name before it. Pure. */
export function findingsOfEach(found: ReadonlyMap<string, readonly Finding[]>): Finding[] {
  const all = [...found].flatMap(([server, findings]) => findings.map((finding) => ({ server, finding })));
  const findings: Finding[] = [];
  for (const check of new Set(all.map(({ finding }) => finding.check))) {
    const alike = all.filter(({ finding }) => finding.check === check);
    const isSaidByAll = new Set(alike.map(({ finding }) => finding.message)).size === 1;
    if (isSaidByAll && alike.length === found.size) findings.push((alike[0] as (typeof alike)[0]).finding);
    else
      for (const { server, finding } of alike)
        findings.push({ ...finding, message: `${server}: ${finding.message}` });
  }
  return findings;
}

function versionFinding(version: string): Finding {
  const check = 'version';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return { check, status: 'ok', message: `Redis ${version}` };
  return {
    check,
    status: 'error',
    message: `Redis ${version} is too old`,
    fix: 'Update it to 6.2 or newer.',
  };
}

function roleFinding(role: string): Finding {
  const check = 'role';
  if (role !== 'slave') return { check, status: 'ok', message: 'the server takes writes' };
  const message = 'the server is a replica, which takes no writes';
  return { check, status: 'error', message, fix: 'Name its master in the url, or ask Sentinel for it.' };
}

function evictionFinding(policy: string, maxmemory: number): Finding {
  const check = 'eviction';
  // Those named volatile take keys that expire, and none of ours does.
  if (!policy.startsWith('allkeys-')) return { check, status: 'ok', message: `maxmemory-policy ${policy}` };
  const fix = 'Set maxmemory-policy noeviction, and keep caches on a server of their own.';
  if (maxmemory === 0) {
    const message = `maxmemory-policy ${policy} drops whole queues once a maxmemory is set`;
    return { check, status: 'warning', message, fix };
  }
  return {
    check,
    status: 'error',
    message: `maxmemory-policy ${policy}: when full, it drops whole queues`,
    fix,
  };
}

function memoryFinding(used: number, most: number): Finding {
  const check = 'memory';
  const inMiB = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MiB`;
  if (most === 0) return { check, status: 'ok', message: `${inMiB(used)} used, without a limit of its own` };
  const message = `${inMiB(used)} of ${inMiB(most)} used`;
  if (used < most * 0.9) return { check, status: 'ok', message };
  return {
    check,
    status: 'warning',
    message: `${message}: once it is full, pushes are refused`,
    fix: 'Raise maxmemory, or add workers.',
  };
}

function persistenceFinding(facts: {
  isAppending: boolean;
  isBroken: boolean;
  saves: string | undefined;
}): Finding {
  const check = 'persistence';
  const fix = 'Set appendonly yes, and appendfsync everysec or always.';
  if (facts.isBroken) {
    const message =
      'the last save to the disk failed: the server may refuse writes, and a restart loses jobs';
    return { check, status: 'error', message, fix: 'Look into the log of the server, and at its disk.' };
  }
  if (facts.isAppending) return { check, status: 'ok', message: 'every write goes to the append-only file' };
  if (facts.saves === '') {
    return {
      check,
      status: 'error',
      message: 'nothing is saved: a restart of the server loses every job',
      fix,
    };
  }
  const message = 'no append-only file: a crash of the server loses what came after its last snapshot';
  return { check, status: 'warning', message, fix };
}

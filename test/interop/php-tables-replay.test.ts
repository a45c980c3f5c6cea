import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PhpJob, PhpTable } from '../support/php-tables.js';
import { ServerSandbox } from '../support/server-sandbox.js';
import { type GoldenRow, type GoldenRows, jobsOf, putRows, recordings, rowsIn } from './golden-rows.js';

/** How a case is done again. */
interface Replay {
  /** The case that left what stands in the table, or the rows themselves; nothing where it is not told. */
  readonly before?: string | readonly GoldenRow[];
  /** What was changed by hand before. */
  readonly changed?: (row: GoldenRow) => GoldenRow;
  readonly failedBefore?: string;
  readonly call: (php: PhpTable, payload: string) => Promise<unknown>;
}

const sandbox = new ServerSandbox('mariadb');
beforeAll(async () => {
  await sandbox.make();
});
afterAll(() => sandbox.clean());

const pop = async (php: PhpTable) => shown(await php.pop('golden'));
const shown = (job: PhpJob | null) =>
  job && { jobId: job.id, 'attempts()': job.attempts(), raw: job.raw, 'getQueue()': job.queue };
/** The job that stands reserved in the table, as the one who popped it has it. */
const held = (id: number, attempts: number, raw: string) => (php: PhpTable) =>
  php.heldJob({ id, queue: 'golden', payload: raw, attempts: attempts - 1 });

const due = (id: string) => (row: GoldenRow) => {
  const column = 'available_time' in row ? 'available_time' : 'available_at';
  return row.id === id ? { ...row, [column]: '1' } : row;
};
const lapsed = (id: string) => (row: GoldenRow) => {
  const column = 'reserve_time' in row ? 'reserve_time' : 'reserved_at';
  return row.id === id ? { ...row, [column]: '1' } : row;
};
const d3 = '{"job":"app\\\\job\\\\Demo","maxTries":null,"timeout":null,"data":"d"}';
const task3 = '{"job":"app\\\\job\\\\Demo@task1","maxTries":null,"timeout":null,"data":"d"}';
const d1 = '{"job":"app\\\\job\\\\Demo","data":"d"}';

const replays: Readonly<Record<string, Readonly<Record<string, Replay>>>> = {
  'think-3': {
    push: { call: (php, payload) => php.pushRaw(payload, 'golden') },
    later: { before: 'push', call: (php, payload) => php.pushRaw(payload, 'golden', 60) },
    bulk: { before: 'later', call: (php) => php.bulk([d3, task3], 'golden') },
    size: { before: 'bulk', call: (php) => php.size('golden') },
    pop: { before: 'size', call: pop },
    delete: { before: 'pop', call: (php) => held(1, 1, '')(php).delete() },
    pop2: { before: 'delete', call: pop },
    release: { before: 'pop2', call: (php) => held(3, 1, d3)(php).release(30) },
    pop3: {
      before: 'release',
      changed: (row) => (row.id === '5' ? { ...row, available_time: '1795217628' } : row),
      call: async (php) => {
        const [one, other] = [await php.pop('golden'), await php.pop('golden')];
        return [one?.id, one?.attempts(), other?.id, other?.attempts()];
      },
    },
    pop_expired: { before: 'pop3', changed: lapsed('5'), call: pop },
    stale_delete: { before: 'pop_expired', call: (php) => held(5, 2, d3)(php).delete() },
    attempts_overflow: {
      before: 'attempts_overflow',
      call: pop,
    },
    pop_empty: { call: pop },
    push_object: { call: (php, payload) => php.pushRaw(payload, 'golden') },
    pushRaw: { call: (php, payload) => php.pushRaw(payload, 'golden') },
    failed_job: {
      before: [
        {
          id: '1',
          queue: 'golden',
          payload:
            '{"job":"app\\\\job\\\\Demo@boom","maxTries":null,"timeout":null,"data":{"k":"\\u4e2d\\/\\u6587"}}',
          attempts: '0',
          reserve_time: null,
          available_time: '1795217630',
          create_time: '1795217630',
        },
      ],
      call: async (php) => {
        const job = (await php.pop('golden')) as PhpJob;
        await job.delete();
        const [, exception = ''] = `${caseOf('think-3', 'failed_job').sql.at(-1)}`.split(" `exception` = '");
        await php.fail(job, 'database', unescaped(exception), '2026-11-20 23:33:50');
      },
    },
    queue_failed: { failedBefore: 'failed_job', call: (php) => php.failedJobs() },
    queue_retry: { failedBefore: 'failed_job', call: (php) => php.retry('1') },
    queue_retry_missing: { before: 'queue_retry', call: (php) => php.retry('99') },
    queue_forget_missing: { call: (php) => php.forget('99') },
    queue_flush: { call: (php) => php.flush() },
  },
  'think-1': {
    push: { call: (php, payload) => php.pushRaw(payload, 'golden') },
    later: { before: 'push', call: (php, payload) => php.pushRaw(payload, 'golden', 60) },
    pop: { before: 'later', call: pop },
    delete: { before: 'pop', call: (php) => held(1, 1, '')(php).delete() },
    pop2: {
      before: [
        ...jobsOf(caseOf('think-1', 'delete'), 'tq1_'),
        {
          id: '3',
          queue: 'golden',
          payload: d1,
          attempts: '0',
          reserved: '0',
          reserved_at: null,
          available_at: '1795217631',
          created_at: '1795217631',
        },
      ],
      call: pop,
    },
    release: { before: 'pop2', call: (php) => held(3, 1, d1)(php).release(30) },
    pop3: {
      before: 'release',
      changed: (row) => (row.id === '4' ? { ...row, available_at: '1795217630' } : row),
      call: pop,
    },
    pop_expired: { before: 'pop3', changed: lapsed('4'), call: pop },
    stale_delete: { before: 'pop_expired', call: (php) => held(4, 2, d1)(php).delete() },
    pop_empty: { call: pop },
    push_object: { call: (php, payload) => php.pushRaw(payload, 'golden') },
  },
  laravel: {
    push_string: { call: (php, payload) => php.pushRaw(payload, 'golden') },
    later: { before: 'push_string', call: (php, payload) => php.pushRaw(payload, 'golden', 60) },
    pop: { before: 'later', call: pop },
    release: {
      before: 'pop',
      call: (php) => held(1, 1, jobsOf(caseOf('laravel', 'pop'), 'lv_')[0]?.payload ?? '')(php).release(30),
    },
    pop2: { before: 'release', changed: (row) => due('2')(due('3')(row)), call: pop },
    delete: { before: 'pop2', call: (php) => held(2, 1, '')(php).delete() },
  },
};

function caseOf(library: string, name: string): GoldenRows {
  const { cases } = recordings.find((one) => one.library === library) ?? { cases: [] };
  return cases.find((one) => one.name === name) as GoldenRows;
}

/** The payload of the row that a case inserts. */
function payloadOf(one: GoldenRows, prefix: string): string {
  return jobsOf(one, prefix).at(-1)?.payload ?? '';
}

function unescaped(sql: string): string {
  return sql.replace(/\\(.)/gs, (_, char) => (char === 'n' ? '\n' : char));
}

describe.each(recordings)('$library', ({ library, prefix, cases }) => {
  beforeAll(async () => {
    const drover = sandbox.open({ wire: library, prefix });
    await drover.migrate();
  });

  test('every recorded case is replayed', () => {
    expect(Object.keys(replays[library] ?? {})).toEqual(cases.map(({ name }) => name));
  });

  test.each(cases)('$name: the same statements, rows and answer', async (one) => {
    const replay = replays[library]?.[one.name] as Replay;
    const { before = [], changed = (row) => row, failedBefore, call } = replay;
    const rows = (typeof before === 'string' ? jobsOf(caseOf(library, before), prefix) : before).map(changed);
    const expected = jobsOf(one, prefix);
    const fresh = expected.find(({ id }) => !rows.some((row) => row.id === id));
    await putRows(sandbox, `${prefix}jobs`, rows, Number(fresh?.id ?? 9));
    const failedRows = failedBefore && caseOf(library, failedBefore).rows_after[`${prefix}failed_jobs`];
    await putRows(sandbox, `${prefix}failed_jobs`, failedRows || [], 1);
    const php = new PhpTable(sandbox.url, library, { prefix, now: () => one.unix_before });

    const result = await call(php, payloadOf(one, prefix)).catch((error: Error) => ({
      thrown: error.message,
    }));
    await php.close();

    for (const [index, statement] of one.sql.entries()) {
      // Long exceptions were cut in the recording.
      const [begin = '', ...cut] = statement.split(' …(truncated here)');
      if (cut.length === 0) expect(php.sent[index]).toBe(statement);
      else expect(php.sent[index]?.startsWith(begin)).toBe(true);
    }
    expect(php.sent.length).toBe(one.sql.length);
    if (`${prefix}jobs` in one.rows_after) expect(await rowsIn(sandbox, `${prefix}jobs`)).toEqual(expected);
    if (one.exception !== undefined) {
      const { thrown } = result as { readonly thrown: string };
      expect(one.exception.endsWith(`1264 ${thrown}`)).toBe(true);
    } else if (typeof one.result === 'object' && one.result !== null && !Array.isArray(one.result)) {
      expect(result).toMatchObject(one.result);
    } else if (typeof one.result === 'number' && library !== 'think-1') {
      expect(result).toBe(one.result);
    }
  });
});

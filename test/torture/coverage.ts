import type { FaultEvent, LedgerEvent, Verdict } from '../conformance/index.js';
import type { Options } from './options.js';

/** What a run of ten minutes must have met at least; shorter ones their share of it. */
const floorsOfTenMinutes = {
  'kills that met a handler': 100,
  'kills less than 20 ms after a handler': 10,
  'duplicates, explained': 20,
  'pushes of unknown outcome': 5,
  'outages that met a handler': 3,
  'errors of each kind thrown': 20,
  'kills less than 150 ms after a last throw': 5,
  'handlers that ended while another worker ran their job': 5,
  'long handlers aborted by a SIGTERM': 5,
  'processes whose memory was judged': 1,
} as const;

const tenMinutes = 600;
const thrownKinds = 5;
/** How long after a SIGTERM handlers are aborted that have not ended, at most. */
const abortedWithinMs = 6000;

/** Something that a run must have met for a verdict. */
export interface Floor {
  readonly what: string;
  readonly count: number;
  readonly least: number;
}

interface Span {
  readonly pid: number;
  readonly parent: number;
  readonly id: string;
  readonly fromMs: number;
  toMs: number;
  hasThrownLast: boolean;
  abortedMs: number;
}

/** What a run has met, beside what it should have. */
export function coverageOf(
  events: readonly LedgerEvent[],
  verdicts: readonly Verdict[],
  { seconds, driver }: Pick<Options, 'seconds' | 'driver'>,
): Floor[] {
  const spans = spansOf(events);
  const faults = events.filter((event) => event.ev === 'fault');
  const kills = faults.filter(({ fault }) => fault === 'kill');
  const counts: Record<keyof typeof floorsOfTenMinutes, number> = {
    'kills that met a handler': kills.filter((kill) => spans.some((span) => meets(kill, span))).length,
    'kills less than 20 ms after a handler': kills.filter((kill) =>
      spans.some((span) => isJustAfter(kill, span, 20)),
    ).length,
    'duplicates, explained': verdicts[2]?.figures.explained ?? 0,
    'pushes of unknown outcome': events.filter(
      (event) => event.ev === 'err' && 'ambiguous' in event && event.ambiguous,
    ).length,
    'outages that met a handler': faults.filter(
      (fault) =>
        (fault.fault === 'outage' || fault.fault === 'failover') &&
        spans.some(({ fromMs, toMs }) => fromMs <= fault.fromMs && toMs >= fault.fromMs),
    ).length,
    'errors of each kind thrown': Math.min(...thrownCounts(events)),
    'kills less than 150 ms after a last throw': kills.filter((kill) =>
      spans.some((span) => span.hasThrownLast && isJustAfter(kill, span, 150)),
    ).length,
    'handlers that ended while another worker ran their job': outrunIn(spans).length,
    'long handlers aborted by a SIGTERM': spans.filter((span) =>
      faults.some((fault) => fault.fault === 'term' && isAbortedBy(fault, span)),
    ).length,
    'processes whose memory was judged':
      verdicts.find(({ invariant }) => invariant === 9)?.figures.processes ?? 0,
  };
  const isFile = driver === 'sqlite' || driver === 'naive';
  return Object.entries(floorsOfTenMinutes).map(([what, most]) => {
    const isNever = isFile && what === 'pushes of unknown outcome';
    const least = isNever ? 0 : Math.floor((most * seconds) / tenMinutes);
    return { what, count: counts[what as keyof typeof counts], least };
  });
}

function spansOf(events: readonly LedgerEvent[]): Span[] {
  const open = new Map<string, Span>();
  const all: Span[] = [];
  for (const event of [...events].sort((a, b) => ('t' in a ? a.t : a.fromMs) - ('t' in b ? b.t : b.fromMs))) {
    if (event.ev === 'started') {
      const span = {
        pid: event.pid,
        parent: event.parent ?? 0,
        id: event.id,
        fromMs: event.t,
        toMs: Number.POSITIVE_INFINITY,
        hasThrownLast: false,
        abortedMs: Number.POSITIVE_INFINITY,
      };
      open.set(`${event.pid} ${event.id}`, span);
      all.push(span);
    } else if (event.ev === 'finished' || event.ev === 'threw' || event.ev === 'released') {
      const span = open.get(`${event.pid} ${event.id}`);
      const hasThrownLast = 'isLast' in event && event.isLast === true;
      if (span) Object.assign(span, { toMs: event.t, hasThrownLast });
    } else if (event.ev === 'aborted') {
      const span = open.get(`${event.pid} ${event.id}`);
      if (span) span.abortedMs = event.t;
    }
  }
  return all;
}

function meets({ fromMs, pids }: FaultEvent, span: Span): boolean {
  return isOf(pids, span) && span.fromMs <= fromMs && span.toMs >= fromMs;
}

/** Those that ended while another one of their job, which had begun later, was not done. */
function outrunIn(spans: readonly Span[]): Span[] {
  const byId = new Map<string, Span[]>();
  for (const span of spans) {
    const ofOne = byId.get(span.id);
    if (ofOne) ofOne.push(span);
    else byId.set(span.id, [span]);
  }
  return spans.filter(({ id, fromMs, toMs }) =>
    byId.get(id)?.some((other) => fromMs < other.fromMs && other.fromMs < toMs && toMs < other.toMs),
  );
}

function isAbortedBy({ fromMs, pids }: FaultEvent, span: Span): boolean {
  const { abortedMs } = span;
  return (
    isOf(pids, span) && span.fromMs <= fromMs && abortedMs >= fromMs && abortedMs <= fromMs + abortedWithinMs
  );
}

function isJustAfter({ fromMs, pids }: FaultEvent, span: Span, withinMs: number): boolean {
  return isOf(pids, span) && span.toMs <= fromMs && span.toMs >= fromMs - withinMs;
}

function isOf(pids: FaultEvent['pids'], { pid, parent }: Span): boolean {
  return pids?.includes(pid) === true || pids?.includes(parent) === true;
}

function thrownCounts(events: readonly LedgerEvent[]): number[] {
  const counts = new Array<number>(thrownKinds).fill(0);
  for (const event of events) {
    if (event.ev === 'threw' && 'which' in event)
      counts[Number(event.which)] = (counts[Number(event.which)] ?? 0) + 1;
  }
  return counts;
}

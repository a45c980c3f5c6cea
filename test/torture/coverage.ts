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
  'handlers that threw when their lease was over': 5,
} as const;

const tenMinutes = 600;
const thrownKinds = 5;

/** Something that a run must have met for a verdict. */
export interface Floor {
  readonly what: string;
  readonly count: number;
  readonly least: number;
}

interface Span {
  readonly pid: number;
  readonly parent: number;
  readonly fromMs: number;
  toMs: number;
  hasThrown: boolean;
}

/** What a run has met, beside what it should have. */
export function coverageOf(
  events: readonly LedgerEvent[],
  verdicts: readonly Verdict[],
  { seconds, driver }: Pick<Options, 'seconds' | 'driver'>,
  leaseMs: number,
): Floor[] {
  const spans = spansOf(events);
  const faults = events.filter((event) => event.ev === 'fault');
  const kills = faults.filter(({ fault }) => fault === 'kill');
  const counts: Record<keyof typeof floorsOfTenMinutes, number> = {
    'kills that met a handler': kills.filter((kill) => spans.some((span) => meets(kill, span))).length,
    'kills less than 20 ms after a handler': kills.filter((kill) =>
      spans.some((span) => isJustAfter(kill, span)),
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
    'handlers that threw when their lease was over': spans.filter(
      (span) => span.hasThrown && faults.some((fault) => isOverslept(fault, span, leaseMs)),
    ).length,
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
        fromMs: event.t,
        toMs: Number.POSITIVE_INFINITY,
        hasThrown: false,
      };
      open.set(`${event.pid} ${event.id}`, span);
      all.push(span);
    } else if (event.ev === 'finished' || event.ev === 'threw' || event.ev === 'released') {
      const span = open.get(`${event.pid} ${event.id}`);
      if (span) Object.assign(span, { toMs: event.t, hasThrown: event.ev === 'threw' });
    }
  }
  return all;
}

function meets({ fromMs, pids }: FaultEvent, span: Span): boolean {
  return isOf(pids, span) && span.fromMs <= fromMs && span.toMs >= fromMs;
}

/** The process of a handler stood still in it, for so long that its lease was over. */
function isOverslept({ fault, fromMs, toMs, pids }: FaultEvent, span: Span, leaseMs: number): boolean {
  const wasInIt = pids?.includes(span.pid) === true && span.fromMs <= fromMs && fromMs < span.toMs;
  return fault === 'stop' && wasInIt && toMs - fromMs >= leaseMs;
}

function isJustAfter({ fromMs, pids }: FaultEvent, span: Span): boolean {
  return isOf(pids, span) && span.toMs <= fromMs && span.toMs >= fromMs - 20;
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

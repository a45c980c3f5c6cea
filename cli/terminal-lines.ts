import type { JobEndEvent, JobFields } from '../src/index.js';
import { detailsOf, paintOf, wordOf } from './job-report.js';
import type { Colors } from './output.js';
import { plain } from './plain-text.js';
import { clockText, spanText } from './time-text.js';

/** Columns grow with what stands in them, but not further than this. */
const widest = { name: 32, id: 36, queue: 16 } as const;
/** In a terminal that is narrower than this, ids are cut to their ends, which tell them apart. */
const wideTerminal = 120;
const shortId = 13;
/** The least room that makes sense for what comes next, and why. */
const leastDetails = 10;

type Column = keyof typeof widest;

/** What a line tells of a job. */
interface About {
  readonly nowMs: number;
  /** Of the terminal, in columns. */
  readonly width: number;
  readonly word: string;
  readonly ms: number;
  paint(text: string): string;
}

/** The lines of a terminal, one a job, in columns that are as wide as what stood in them so far. */
export class TerminalLines {
  readonly #colors: Colors;
  readonly #widths: Record<Column, number> = { name: 0, id: 0, queue: 0 };

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  /**
   * How an attempt ended.
   *
   * @param width of the terminal in columns: what comes next, and why, is cut to it.
   * @param recorded whether failed jobs are kept.
   */
  ended(event: JobEndEvent, nowMs: number, width: number, recorded: boolean): string {
    const paint = paintOf(event, this.#colors);
    const line = this.#line(event, { nowMs, width, word: wordOf(event), ms: event.durationMs, paint });
    const room = width - line.visible - 2;
    const details = detailsOf(event, nowMs, recorded).join('  ');
    return details === '' || room < leastDetails ? line.text : `${line.text}  ${cut(details, room)}`;
  }

  /** That an attempt is still under way. */
  running(job: JobFields, nowMs: number, width: number, runningMs: number): string {
    return this.#line(job, { nowMs, width, word: 'running', ms: runningMs, paint: this.#colors.cyan }).text;
  }

  #line(job: JobFields, about: About): { readonly text: string; readonly visible: number } {
    const { dim } = this.#colors;
    const name = cut(plain(job.name), widest.name);
    const id = cutFront(plain(job.id), about.width < wideTerminal ? shortId : widest.id);
    const queue = cut(plain(job.queue), widest.queue);
    const cells: [text: string, paint: (text: string) => string][] = [
      [clockText(about.nowMs), dim],
      [about.word.padEnd(10), about.paint],
      [this.#padded('name', name), String],
      [this.#padded('id', id), dim],
      [this.#padded('queue', queue), String],
      [`#${job.attempts}`.padEnd(3), dim],
      [spanText(about.ms).padStart(8), String],
    ];
    const visible = cells.reduce((sum, [text]) => sum + text.length + 2, -2);
    return { text: cells.map(([text, paint]) => paint(text)).join('  '), visible };
  }

  #padded(column: Column, text: string): string {
    this.#widths[column] = Math.max(this.#widths[column], text.length);
    return text.padEnd(this.#widths[column]);
  }
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;
}

function cutFront(text: string, most: number): string {
  return text.length > most ? `…${text.slice(1 - most).toWellFormed()}` : text;
}

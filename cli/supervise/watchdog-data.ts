/** How often the event loop gives a sign, and how often the watchdog looks for it. */
export const lookMs = 200;

/** What the watchdog thread is started with. */
export interface WatchdogData {
  /** Counts turns of the event loop, in its only element. */
  readonly beats: Int32Array;
  /** How long to wait for an answer, and for the end of a process without a supervisor, in ms. */
  readonly limits: Float64Array;
  /** Of the `Steps` of the thread that works. */
  readonly steps: SharedArrayBuffer;
  readonly supervisorPid: number;
}

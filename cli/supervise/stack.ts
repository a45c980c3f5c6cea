/** What the functions are called through which a worker process calls its handlers, one for each slot. */
export const slotFrame = 'drover-slot-';

/** A stack as text, whatever the application has set; run by the watchdog in the thread that is stuck. */
export const stackExpression = `(() => {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = 200;
  Error.prepareStackTrace = undefined;
  try { return String(new Error().stack); }
  finally { Object.assign(Error, { stackTraceLimit, prepareStackTrace }); }
})()`;

/** The slot whose handler is in this stack, awaiting callers included. */
export function slotIn(stack: string): number | undefined {
  const digits = new RegExp(`${slotFrame}(\\d+)`).exec(stack)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The evaluation of the watchdog, and what stands in for `process.exit`. */
const notTheirs = / <anonymous>:\d|supervise\/supervisor-link/;

/** The application's part of a stack, and some more where its end is not known. */
export function handlerPart(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !notTheirs.test(line));
  const end = frames.findIndex((line) => line.includes(slotFrame));
  return frames.slice(0, end < 0 ? 30 : Math.min(end, 30)).join('\n');
}

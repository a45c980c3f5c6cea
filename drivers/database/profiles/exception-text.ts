import { encodePhpJson, type FailedJob, type PhpValue } from '../../../src/index.js';

/** The fields of a record that PHP's columns have no place for. */
const ownFields = [
  'uuid',
  'jobId',
  'name',
  'errorClass',
  'message',
  'stack',
  'causes',
  'attempts',
  'reason',
  'host',
  'pid',
  'failedAtMs',
] as const satisfies readonly (keyof FailedJob)[];

/** What {@link textOf} keeps of a record. */
export type KeptFields = Pick<FailedJob, (typeof ownFields)[number]>;

/** Begins the last line of an exception that was written here. */
const mark = '\ndrover: ';

/** Finds the record of a uuid of ours by its last line. */
export function likeUuid(uuid: string): string {
  return `%${mark}{"uuid":"${uuid.replace(/[^\w-]/g, '')}"%`;
}

/**
 * The column `exception`, as PHP prints one: `Class: message in file:line`, then `Stack trace:` and its frames. A last
 * line has the rest of the record, in ASCII.
 */
export function textOf(failure: FailedJob): string {
  const { errorClass, message, stack } = failure;
  const frames = framesOf(stack);
  const place = frames[0]?.place ?? '[internal function]:0';
  const trace = [
    ...frames.map(({ call, place: at }, index) => `#${index} ${at}: ${call}`),
    `#${frames.length} {main}`,
  ];
  const kept = Object.fromEntries(ownFields.map((field) => [field, failure[field]]));
  const text = `${errorClass}: ${message} in ${place}\nStack trace:\n${trace.join('\n')}`;
  return `${inBasicPlane(text)}\n${mark}${encodePhpJson(kept as PhpValue)}`;
}

/** What an exception text tells: all that was kept, or what can be read of one that PHP wrote. */
export function fieldsOf(text: string): KeptFields | undefined {
  const at = text.lastIndexOf(mark);
  if (at < 0) return undefined;
  try {
    const kept = JSON.parse(text.slice(at + mark.length)) as KeptFields;
    return ownFields.every((field) => field in kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Class, message and stack of an exception that PHP printed. */
export function partsOfException(text: string): Pick<FailedJob, 'errorClass' | 'message' | 'stack'> {
  const [head = '', ...trace] = text.split('\nStack trace:\n');
  const [, errorClass = 'Exception', message = head] =
    /^([\w\\]+)(?:: (.*?))?(?: in \S+:\d+)?$/s.exec(head) ?? [];
  return { errorClass, message, stack: trace.length === 0 ? '' : text };
}

interface Frame {
  readonly call: string;
  /** `file:line`. */
  readonly place: string;
}

/** The frames of a stack as V8 prints it. */
function framesOf(stack: string): Frame[] {
  return stack.split('\n').flatMap((line) => {
    const [, call, inCall, alone] = /^\s+at (?:(.+?) \((.+:\d+):\d+\)|(.+:\d+):\d+)$/.exec(line) ?? [];
    const place = inCall ?? alone;
    return place === undefined ? [] : [{ call: `${call ?? '{closure}'}()`, place }];
  });
}

/** MySQL's three-byte `utf8` takes no others; the last line has them. */
function inBasicPlane(text: string): string {
  return text.replace(/[\u{10000}-\u{10ffff}]|[\ud800-\udfff]|\0/gu, '\ufffd');
}

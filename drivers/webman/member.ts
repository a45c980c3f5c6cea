import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { QueueError, type ReservedJob } from '../../src/index.js';
import { shownBytes } from '../redis/raw-bytes.js';
import { parsePackage, phpAscii, readHead } from './package-text.js';

/** The field in which a body stands that is no package: what PHP finds around it is one. */
const wrapped = 'drover';

/** When a package was pushed, and how long it is to wait: both in seconds, as webman has them. */
export interface Times {
  readonly time: number;
  readonly delay: number;
}

/**
 * What is stored for a body: a package as PHP writes it, whatever the body is, so that no consumer beside ours meets
 * what it would lose.
 *
 * @throws QueueError `E_UNSUPPORTED` for a package of another queue: in webman a queue has one consumer.
 */
export function newMember(id: string, body: string, queue: string, { time, delay }: Times): string {
  const start = `{"id":${phpAscii(JSON.stringify(id))},"time":${time},"delay":${delay},"attempts":0,"queue":${JSON.stringify(queue)},`;
  const head = readHead(body);
  if (head?.id !== id || head.next === wrapped) {
    return `${start}"${wrapped}":${phpAscii(JSON.stringify(body))},"data":null}`;
  }
  if (head.queue === queue) return start + body.slice(head.length);
  throw new QueueError('E_UNSUPPORTED', `job ${head.queue} cannot go to queue ${queue}`, {
    fix: 'With webman a queue has one consumer, whose name is the queue: push to the queue of that name.',
  });
}

/** What a member says that a reserve has taken. `attempts` counts this delivery. */
export function readMember(
  member: Buffer,
): Pick<ReservedJob, 'id' | 'body' | 'attempts' | 'problem' | 'raw'> {
  const text = member.toString('utf8');
  if (!isUtf8(member)) {
    const problem = 'the package is not UTF-8 text: its producer must write JSON in UTF-8';
    return { id: digestOf(text), body: text, raw: shownBytes(member), attempts: 1, problem };
  }
  const head = readHead(text);
  if (head !== undefined && head.next !== wrapped && isId(head.id)) {
    return { id: head.id, body: text, attempts: head.attempts + 1 };
  }
  const value = parsePackage(text);
  if (value === undefined) {
    return {
      id: digestOf(text),
      body: text,
      attempts: 1,
      problem: 'the package is no JSON object with fields',
    };
  }
  const { id, attempts, [wrapped]: body } = value;
  return {
    id: isId(id) ? String(id) : digestOf(text),
    body: typeof body === 'string' ? body : text,
    attempts: Number.isSafeInteger(attempts) && Number(attempts) >= 0 ? Number(attempts) + 1 : 1,
  };
}

function isId(id: unknown): boolean {
  return (typeof id === 'string' && id !== '' && id.length <= 64) || typeof id === 'number';
}

/** Stays the same from delivery to delivery. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

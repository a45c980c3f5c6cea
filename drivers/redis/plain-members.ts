import { isUtf8 } from 'node:buffer';
import { patched, placeOfAttempts } from './attempts-place.js';
import {
  digestOf,
  idInText,
  idTail,
  isPointerOnly,
  keptAside,
  pointer,
  type ReadMember,
  readPointer,
  type StoredJob,
  unreadable,
} from './member.js';
import type { SeenMember } from './waiting-member.js';
import type { MemberCodec } from './wire.js';

/**
 * Reads and makes members that are other programs' payloads and nothing else. A body that is none of theirs is kept
 * aside, as among the native ones.
 *
 * @param first what `attempts` of a new job is.
 * @param onReserve whether an attempt counts when the job is taken.
 */
export function plainMembers(first: 0 | 1, onReserve: boolean): MemberCodec {
  return { stored, held, reserved, waiting };

  function stored(id: string, body: string): StoredJob {
    const place = pointer.test(body) ? undefined : placeOfAttempts(body);
    const member = place && patched(body, place, first);
    if (member === undefined || idOf(member, place?.start ?? 0) !== id) return keptAside(id, body, first);
    return { member, bodyKey: '', body: '' };
  }

  function held(member: string | Buffer, kept: Buffer, token: string): ReadMember {
    const read = readIn(Buffer.isBuffer(member) ? member : Buffer.from(member), kept, token);
    if (read === undefined) throw new Error('the reserved member has no attempts');
    return read;
  }

  function reserved(member: Buffer, kept: Buffer): SeenMember {
    const { id, body, attempts } = readIn(member, kept, '') ?? {
      id: isUtf8(member) && idInText(member.toString('utf8')),
      body: member.toString('utf8'),
      attempts: first,
    };
    return { id: id || null, body, attempts };
  }

  /** Where attempts count on release, it tells of the next delivery. */
  function waiting(member: Buffer, kept: Buffer): SeenMember {
    const seen = reserved(member, kept);
    return onReserve ? seen : { ...seen, attempts: seen.attempts - 1 };
  }

  /** @param member behind the mark of its lease, or alone. */
  function readIn(member: Buffer, kept: Buffer, token: string): ReadMember | undefined {
    const bytes = member[0] === 0x7b ? member : member.subarray(member.indexOf(' ') + 1);
    const isText = isUtf8(bytes);
    const text = bytes.toString(isText ? 'utf8' : 'latin1');
    const place = placeOfAttempts(text);
    if (place === undefined) return undefined;
    const attempts = Number(text.slice(place.start, place.end));
    const [, key] = pointer.exec(text.slice(0, 60)) ?? [];
    const head = text.slice(0, text.lastIndexOf('"attempts"', place.start));
    if (key !== undefined && (kept.length > 0 || isPointerOnly(head))) {
      return readPointer(head, key, kept, attempts, first);
    }
    const raw = onReserve && token !== '' ? patched(text, place, Math.max(0, attempts - 1)) : text;
    if (!isText) return { ...unreadable(Buffer.from(raw, 'latin1')), id: token, attempts };
    const body = patched(text, place, first);
    return {
      id: idOf(body, place.start),
      body,
      attempts: Math.max(first, attempts),
      ...(raw !== body && { raw }),
    };
  }
}

function idOf(body: string, attemptsAt: number): string {
  const head = body.slice(Math.max(0, attemptsAt - 200), attemptsAt).replace(/"attempts"\s*:\s*$/, '');
  return idTail.exec(head)?.[1] || idInText(body) || digestOf(body);
}

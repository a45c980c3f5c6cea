import type { ReservedJob } from '../../src/index.js';
import { handleOf, idThatEnds, pushedTail, type ReadMember, readMember } from './member.js';

/** How long a token is. A member is longer. */
export const tokenLength = 32;

/** A job whose member is as a push has written it, and that the server has taken since. @param member a Buffer where it is no text. */
export function jobOfPushed(queue: string, member: string | Buffer, token: string): ReservedJob {
  const { handle, ...read } = readPushed(member, token);
  return { queue, ...read, lease: { queue, token, handle } };
}

/** As jobOfPushed, of a job that is settled by its token. */
export function jobByToken(queue: string, member: string | Buffer, token: string): ReservedJob {
  const lease = { queue, token, handle: token };
  const id = typeof member === 'string' ? idBehind(member) : undefined;
  if (id === undefined) return { ...jobOfPushed(queue, member, token), lease };
  const body = member as string;
  return { id, queue, body, attempts: 1, exceptions: 0, isFoundByToken: true, lease };
}

/** Whether a handle is a token. */
export function isToken(handle: string | number): boolean {
  return typeof handle === 'string' && handle.length === tokenLength;
}

/** With what settles it, the member that is among the reserved ones now. */
function readPushed(member: string | Buffer, token: string): ReadMember & { readonly handle: string } {
  const isText = typeof member === 'string';
  const text = isText ? member : member.toString('latin1');
  const held = `${text.slice(0, -pushedTail.length)}"lease":"${token}","attempts":1}`;
  const id = isText ? idBehind(text) : undefined;
  if (id !== undefined) {
    return { id, body: text, attempts: 1, exceptions: 0, isFoundByToken: true, handle: held };
  }
  const stored = isText ? held : Buffer.from(held, 'latin1');
  return { ...readMember(stored, Buffer.alloc(0)), handle: handleOf(stored) };
}

function idBehind(text: string): string | undefined {
  return idThatEnds(text, text.length - pushedTail.length - 2);
}

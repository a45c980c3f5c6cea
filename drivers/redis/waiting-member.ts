import { isUtf8 } from 'node:buffer';
import { tailBytes } from './dialect.js';
import { heldTail, idInText, type ReadMember, readMember, textOf } from './member.js';

const waitingTail =
  /([,{]\s*)(?:"lease":"[0-9a-f]{32}",)?((?:"drover:exceptions"\s*:\s*\d{1,9}\s*,\s*)?"attempts"\s*:\s*)(0|[1-9]\d{0,8})(\s*\}\s*)$/;

/** Stands in for the token that the next reserve mints. */
const anyToken = '0'.repeat(32);

/** What a look shows of a member. */
export type SeenMember = Pick<ReadMember, 'body' | 'attempts' | 'exceptions'> & {
  readonly id: string | null;
};

/** What a reserved member says, whoever holds it: PHP writes no lease. */
export function readReserved(member: Buffer, kept: Buffer): SeenMember {
  const isOurs = heldTail.test(member.toString('latin1').slice(-tailBytes));
  return isOurs ? readMember(textOf(member), kept) : readWaiting(member, kept);
}

/** What a member says that waits. The id of one that nobody could patch is made by the reserve, where it has none. */
export function readWaiting(member: Buffer, kept: Buffer): SeenMember {
  const text = member.toString('latin1');
  const tail = text.startsWith('{') ? waitingTail.exec(text.slice(-200)) : null;
  if (tail === null) return readForeign(member);
  const [ours, before = '', name = '', digits = '', rest = ''] = tail;
  const head = text.slice(0, text.length - ours.length) + before;
  // As the reserve would write it.
  const held = `${head}"lease":"${anyToken}",${name}${Number(digits) + 1}${rest}`;
  const read = readMember(textOf(Buffer.from(held, 'latin1')), kept);
  const { id, body, exceptions = 0 } = read;
  return { id: id === anyToken ? null : id, body, attempts: Number(digits), exceptions };
}

function readForeign(member: Buffer): SeenMember {
  const body = member.toString('utf8');
  return { id: (isUtf8(member) && idInText(body)) || null, body, attempts: 0 };
}

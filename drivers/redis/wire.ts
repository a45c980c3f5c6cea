import type { WireFormat } from '../../src/index.js';
import { type Dialect, leased } from './dialect.js';
import { type ReadMember, readMember, type StoredJob, storedJob } from './member.js';
import { makeScripts, type Scripts } from './scripts.js';
import { readReserved, readWaiting, type SeenMember } from './waiting-member.js';

/** Makes and reads the members of a wire. */
export interface MemberCodec {
  /** How a body is stored that has no attempt spent. */
  stored(id: string, body: string): StoredJob;
  /**
   * Reads what a reserve answered.
   *
   * @param member what settles it; a Buffer where it is no text.
   * @param kept the body beside it, empty where there is none.
   */
  held(member: string | Buffer, kept: Buffer, token: string): ReadMember;
  /** Reads a reserved member, whoever holds it. */
  reserved(member: Buffer, kept: Buffer): SeenMember;
  /** Reads a member that waits; its id is null where only a reserve gives it one. */
  waiting(member: Buffer, kept: Buffer): SeenMember;
}

/** With whom a connection shares its queues: their keys, members and payloads. */
export interface RedisWire {
  /** Its name among the options. */
  readonly name: string;
  /** The list of a queue's ready jobs, without the prefix. Whatever else the queue has begins with it. */
  listOf(queue: string): string;
  readonly members: MemberCodec;
  readonly scripts: Scripts;
  /** True where a push may put members into the list without more ado. */
  readonly pushesPlainly: boolean;
  /** True where what is reserved next may be taken off the list without more ado: its members carry their leases. */
  readonly takesPlainly: boolean;
  /** True where ids that callers chose are held apart. */
  readonly holdsIds: boolean;
  /** How payloads are written, where not as think-queue 3 does. */
  readonly format?: WireFormat;
}

/** What a wire is made of. */
export type WireParts = Omit<RedisWire, 'scripts' | 'pushesPlainly' | 'takesPlainly'> & {
  readonly dialect: Dialect;
};

/** Its scripts are made when they are first asked for. */
export function makeWire({ dialect, ...parts }: WireParts): RedisWire {
  let scripts: Scripts | undefined;
  return {
    ...parts,
    pushesPlainly: dialect.pushesPlainly,
    takesPlainly: dialect === leased,
    get scripts() {
      scripts ??= makeScripts(dialect);
      return scripts;
    },
  };
}

/** think-queue 3's keys and payloads, with leases in the members: the default. */
export const think3: RedisWire = makeWire({
  name: 'think-3',
  listOf: (queue) => `{queues:${queue}}`,
  dialect: leased,
  members: { stored: storedJob, held: readMember, reserved: readReserved, waiting: readWaiting },
  holdsIds: true,
});

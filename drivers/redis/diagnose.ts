import {
  type Clock,
  clockFinding,
  encryptionFinding,
  type Finding,
  type SocketFacts,
} from '../../src/index.js';
import { type ServerFacts, serverFindings } from './diagnosis-rules.js';
import type { RedisInstance } from './redis-types.js';

/** Asks a server what it is and how it is set up. Changes nothing. */
export async function diagnoseServer(redis: RedisInstance, clock: Clock): Promise<Finding[]> {
  const askedMs = clock.now();
  const time = await ifAllowed(redis.call('TIME') as Promise<[seconds: string, micros: string]>);
  const heardMs = clock.now();
  const { stream } = redis as { stream?: SocketFacts };
  return [
    ...serverFindings(await askAll(redis)),
    ...(time === undefined ? [] : [clockFinding(askedMs, msOf(time), heardMs)]),
    ...(stream === undefined ? [] : [encryptionFinding(stream)]),
  ];
}

function msOf([seconds, micros]: readonly [string, string]): number {
  return Number(seconds) * 1000 + Number(micros) / 1000;
}

async function askAll(redis: RedisInstance): Promise<ServerFacts> {
  const info = await ifAllowed(redis.info());
  const saves = await ifAllowed(redis.call('CONFIG', 'GET', 'save') as Promise<string[]>);
  return { info: info === undefined ? undefined : fieldsOf(info), saves: saves?.[1] };
}

/** Managed servers, and users with few rights, answer some questions with a refusal. */
async function ifAllowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && /^(?:NOPERM|ERR unknown command)/.test(error.message)) return undefined;
    throw error;
  }
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

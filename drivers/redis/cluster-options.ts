import { QueueError } from '../../src/index.js';
import type { RedisOptions } from './options.js';
import { type NodeAddress, nameOf } from './slots.js';

const fix = "Write cluster: [{ host: '10.0.0.1', port: 6379 }].";

/** Options that mean nothing on a Cluster, or that its nodes tell themselves. */
const notBeside = ['url', 'client', 'db'] as const;

/** Options of ioredis that name a server, or that only its own Cluster client reads. */
const notInIoredis = [
  'host',
  'port',
  'path',
  'db',
  'sentinels',
  'name',
  'natMap',
  'redisOptions',
  'scaleReads',
  'dnsLookup',
  'useSRVRecords',
];

/**
 * Reads the nodes of `cluster`.
 *
 * @throws QueueError `E_CONFIG`.
 */
export function readCluster(options: RedisOptions): NodeAddress[] {
  const { cluster } = options;
  if (!Array.isArray(cluster) || cluster.length === 0) throw invalid('is not a list of nodes', fix);
  const beside = notBeside.filter((key) => options[key] !== undefined);
  if (beside.length > 0) {
    throw invalid(
      `${beside.join(', ')} cannot be set beside it`,
      'A Cluster has database 0 only. Leave it out.',
    );
  }
  const inside = notInIoredis.filter((key) => options.ioredis?.[key] !== undefined);
  if (inside.length > 0) {
    const how = 'Leave it out, or give new Cluster(…) of ioredis as client.';
    throw invalid(`ioredis.${inside.join(', ioredis.')} cannot be set beside it`, how);
  }
  return cluster.map(readNode);
}

/** Names a Cluster in errors. */
export function placeOfCluster(nodes: readonly NodeAddress[]): string {
  return `redis cluster at ${nodes.map(nameOf).join(', ')}`;
}

function readNode(node: unknown): NodeAddress {
  if (typeof node !== 'object' || node === null) throw invalid('has something that is no node', fix);
  const { host, port = 6379, ...others } = node as Partial<NodeAddress>;
  if (typeof host !== 'string' || host === '') throw invalid('has a node without host', fix);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`${host} has no valid port`, fix);
  const more = Object.keys(others);
  if (more.length > 0) {
    throw invalid(`${more.join(', ')} of a node is not read`, 'Write user, password and tls beside cluster.');
  }
  return { host, port };
}

function invalid(what: string, how: string): QueueError {
  return new QueueError('E_CONFIG', `cluster: ${what}`, { fix: how });
}

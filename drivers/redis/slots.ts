/** Where a node of a Cluster is. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** How many slots the keys of a Cluster are spread over. */
const slotCount = 16_384;

/** The slot of a key: a checksum of what stands in its first braces, or of the whole key. */
export function slotOf(key: string): number {
  const [, tag = key] = /^[^{]*\{([^}]+)\}/s.exec(key) ?? [];
  return crc16(Buffer.from(tag)) % slotCount;
}

/** CRC16/XMODEM, which Redis prescribes. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc;
}

/**
 * Reads the answer of `CLUSTER SLOTS` into the master of each slot. Slots that nobody serves are left out.
 *
 * @param asked the node that answered; it may leave out its own host.
 */
export function mastersIn(reply: unknown, asked: NodeAddress): NodeAddress[] {
  const masters: NodeAddress[] = [];
  for (const range of Array.isArray(reply) ? reply : []) {
    const [from, to, master] = range as [number, number, [Buffer | null, number]];
    const host = master[0]?.toString() || asked.host;
    const address = { host: host === '?' ? asked.host : host, port: master[1] };
    for (let slot = from; slot <= to; slot += 1) masters[slot] = address;
  }
  return masters;
}

/** Reads `host:port` as redirections write it. An IPv6 host has no brackets; none means the node that was asked. */
export function addressIn(text: string, asked: NodeAddress): NodeAddress {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, Math.max(0, colon)) || asked.host, port: Number(text.slice(colon + 1)) };
}

/** Names a node, to find it again. */
export function nameOf({ host, port }: NodeAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

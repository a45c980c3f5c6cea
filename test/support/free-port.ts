import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port as {@link freePorts} finds it. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/**
 * The first of so many ports in a row of loopback that nothing listens on. They are below those that the system gives to
 * outgoing connections, of which one could take them before a server does.
 */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = randomInt(15_000, 32_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (!free.includes(false)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const listens = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  if (listens) await once(server, 'close');
  return listens;
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Redis } from 'ioredis';

/** What a Redis server carries out, as `MONITOR` shows it, argument by argument. */
export class Monitor {
  readonly #client: Redis;
  readonly #socket: Socket;
  readonly #heard: string[][] = [];
  #onLine: () => void = () => {};

  private constructor(client: Redis, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
  }

  /** @param client a plain client of the same server. */
  static async open(client: Redis, port: number): Promise<Monitor> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const monitor = new Monitor(client, socket);
    socket.write('MONITOR\r\n');
    const lines = createInterface({ input: socket });
    await once(lines, 'line'); // +OK
    lines.on('line', (line) => {
      monitor.#heard.push(argumentsOf(line));
      monitor.#onLine();
    });
    return monitor;
  }

  /** What was carried out meanwhile, of this client's own commands nothing that came before or after. */
  async during<T>(
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly commands: readonly string[][] }> {
    await this.#mark();
    this.#heard.length = 0;
    const result = await work();
    const end = await this.#mark();
    return { result, commands: this.#heard.slice(0, end) };
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Waits until everything up to now was heard; answers how much that is. */
  async #mark(): Promise<number> {
    const mark = randomUUID();
    await this.#client.echo(mark);
    for (;;) {
      const at = this.#heard.findIndex(([, text]) => text === mark);
      if (at >= 0) return at;
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** `1700000000.1 [0 127.0.0.1:1] "RPUSH" "k" "v"`, with bytes as `\xff`. The command's name in capitals. */
function argumentsOf(line: string): string[] {
  const quoted = line.slice(line.indexOf('] ') + 2);
  const [name = '', ...rest] = [...quoted.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => {
    const bytes = text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex, char) =>
      hex === undefined ? (escapes[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(bytes, 'latin1').toString('utf8');
  });
  return [name.toUpperCase(), ...rest];
}

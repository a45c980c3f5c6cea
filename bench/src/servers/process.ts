import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server program under way, in a folder of its own. */
export interface ServerProcess {
  readonly port: number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** How to make and run one kind of server. */
export interface ServerKind {
  /** The user to run as where the benchmark runs as root, which this server refuses. */
  readonly user?: string;
  /** Makes the data folder. */
  initialise?(folder: string): readonly [program: string, ...args: string[]];
  run(folder: string, port: number): readonly [program: string, ...args: string[]];
  /** What it prints once it takes connections. */
  readonly ready: string;
  /** Ends it at once, and leaves nothing behind in the system. */
  readonly stopSignal: NodeJS.Signals;
}

/** Starts a server on a free port of loopback, in an empty folder. */
export async function startProcess(kind: ServerKind): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  const user = asUser(kind.user);
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid);
  if (kind.initialise !== undefined) {
    const [program, ...args] = withPath(kind.initialise(folder));
    const made = spawnSync(program, args, { ...user, cwd: folder, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`${program}: ${made.error?.message ?? made.stderr}`);
  }
  const port = await freePort();
  const [program, ...args] = withPath(kind.run(folder, port));
  const child = spawn(program, args, { ...user, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  await untilSaid(child, kind.ready);
  return {
    port,
    stop: async () => {
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.kill(kind.stopSignal)) await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function asUser(name: string | undefined): { uid?: number; gid?: number } {
  if (name === undefined || process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name]).stdout || Number.NaN));
  if (!uid || !gid) throw new Error(`there is no user ${name} to run the server as`);
  return { uid, gid };
}

/** The program with its path, also where Debian keeps those of servers out of the PATH. */
function withPath([program, ...args]: readonly [string, ...string[]]): [string, ...string[]] {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    ...(existsSync(versions) ? readdirSync(versions) : []).map((version) => join(versions, version, 'bin')),
  ];
  const path = folders.map((folder) => join(folder, program)).find(existsSync);
  if (path === undefined) throw new Error(`${program} is not installed`);
  return [path, ...args];
}

async function untilSaid(child: ChildProcess, text: string): Promise<void> {
  const said: string[] = [];
  const isReady = new Promise<void>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      if (output === null) continue;
      // Goes on reading: a full pipe would stop the server.
      createInterface(output).on('line', (line) => {
        if (line.includes(text)) resolve();
        else if (said.length < 50) said.push(line);
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${child.spawnfile} did not start:\n${said.join('\n')}`)));
  });
  await isReady;
}

/** A port of loopback that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

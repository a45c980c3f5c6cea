import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { findProgram } from './install-servers.js';

/** A database server of the tests. */
export interface DatabaseServer {
  /** Without a database: add its name. */
  readonly url: string;
  readonly port: number;
  /** The file with what the server has to say. */
  readonly log: string;
  /** Kills the server as a crash would, and waits for its end. */
  kill(): Promise<void>;
  /** Makes the server hang: its process is stopped. */
  freeze(): Promise<void>;
  /** Lets a frozen server go on. */
  thaw(): void;
  /** Starts it again on the same data and the same port. */
  start(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** How to make and run one kind of server. */
export interface ServerKind {
  readonly name: string;
  /** The user whom the server runs as where the tests run as root, which servers refuse. */
  readonly user: string;
  readonly scheme: string;
  /** Makes the data folder. */
  initialise(data: string): readonly [program: string, ...args: string[]];
  run(data: string, port: number): readonly [program: string, ...args: string[]];
  /** What the log says once it takes connections. */
  readonly ready: RegExp;
  /** Ends it at once and leaves nothing behind in the system. */
  readonly stopSignal: NodeJS.Signals;
}

/** Starts a server on a free port of loopback, in an empty folder. */
export async function startServer(kind: ServerKind): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), `drover-${kind.name}-`));
  const user = asUser(kind.user);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const log = join(folder, 'log');
  const output = openSync(log, 'a');
  const [maker = '', ...making] = withPath(kind.initialise(data));
  const made = spawnSync(maker, making, { ...user, cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`${maker}: ${made.error?.message ?? made.stderr + made.stdout}`);
  const port = await freePort();
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const [program = '', ...args] = withPath(kind.run(data, port));
    const before = readFileSync(log, 'utf8').length;
    child = spawn(program, args, { ...user, cwd: folder, stdio: ['ignore', output, output] });
    child.on('error', () => {}); // told by its log, which stays empty
    await untilReady(child, log, before, kind);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const started = processesOf(child);
    child.kill(signal);
    await exited;
    // Those that it has started see its end for themselves, and its data is in use until then.
    while (started.some(isThere)) await pause(5);
  };
  await start();
  return {
    url: `${kind.scheme}@127.0.0.1:${port}/`,
    port,
    log,
    kill: () => end('SIGKILL'),
    freeze: async () => {
      const stopped = signalAll(child, 'SIGSTOP');
      while (!stopped.every(isStopped)) await pause(1);
    },
    thaw: () => {
      signalAll(child, 'SIGCONT');
    },
    start,
    stop: async () => {
      await end(kind.stopSignal);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Signals a server and the processes that it has started for its connections; answers their ids. */
function signalAll(child: ChildProcess | undefined, signal: NodeJS.Signals): number[] {
  if (child === undefined) return [];
  const all = processesOf(child);
  for (const pid of all) process.kill(pid, signal);
  return all;
}

/** A server and the processes that it has started for its connections. */
function processesOf({ pid }: ChildProcess): number[] {
  if (pid === undefined) return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return [pid, ...children.map(Number)].filter((one) => one > 0);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether no thread of a process runs any longer: a signal takes its time to reach them all. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => {
    const stat = readFileSync(`${tasks}/${task}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}

/** The user to run as, where we are root: the package's own, or one that owns nothing. */
function asUser(name: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const user of [name, 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, user]).stdout || Number.NaN));
    if (uid && gid) return { uid, gid };
  }
  throw new Error(`there is no user ${name} to run the server as`);
}

function withPath([program, ...args]: readonly [string, ...string[]]): string[] {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  return [path, ...args];
}

async function untilReady(child: ChildProcess, log: string, from: number, kind: ServerKind): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  for (;;) {
    const said = readFileSync(log, 'utf8').slice(from);
    if (kind.ready.test(said)) return;
    if (child.exitCode !== null || child.pid === undefined || performance.now() > giveUpAt) {
      throw new Error(`${kind.name} did not start:\n${said}`);
    }
    await pause(20); // the log is a file, so that a full pipe cannot stop the server
  }
}

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deferred, within } from './deferred.js';
import { containing, type FaultProxy, startFaultProxy } from './fault-proxy.js';

/** A server that answers each line `x` with `did x`, and notes what it got. */
const got: string[] = [];
const closed: Promise<unknown>[] = [];
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  closed.push(once(socket, 'close'));
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      got.push(line);
      socket.write(`did ${line}\n`);
    }
  });
});
let proxy: FaultProxy;

beforeEach(async () => {
  got.length = 0;
  closed.length = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  proxy = await startFaultProxy(typeof address === 'object' && address !== null ? address.port : 0);
});
afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await once(server, 'close');
});

interface Client {
  readonly socket: Socket;
  /** All that came so far. */
  readonly text: string;
  readonly closed: Promise<unknown>;
  /** Resolves once this has come. */
  hears(text: string): Promise<void>;
}

async function client(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  let text = '';
  let waiting: { text: string; heard: () => void } | undefined;
  socket.on('data', (chunk) => {
    text += chunk;
    if (waiting && text.includes(waiting.text)) waiting.heard();
  });
  return {
    socket,
    get text() {
      return text;
    },
    closed: once(socket, 'close'),
    hears: (what) => {
      if (text.includes(what)) return Promise.resolve();
      const heard = deferred();
      waiting = { text: what, heard: () => heard.resolve() };
      return within(heard.promise, `"${what}"`);
    },
  };
}

async function ask(one: Client, line: string): Promise<void> {
  one.socket.write(`${line}\n`);
  await one.hears(`did ${line}\n`);
}

test('passes on what no fault is planned for', async () => {
  const one = await client();
  await ask(one, 'a');
  await ask(one, 'b');
  one.socket.end();
  await within(Promise.all([one.closed, ...closed]), 'closing');
  expect(got).toEqual(['a', 'b']);
  expect(proxy.accepted).toBe(1);
});

test('cut-before: the request reaches nobody', async () => {
  const fault = proxy.plan('cut-before', containing('b'));
  const one = await client();
  await ask(one, 'a');
  one.socket.write('b\n');
  await within(Promise.all([fault.happened, one.closed, ...closed]), 'the cut');
  expect(got).toEqual(['a']);
  await ask(await client(), 'b');
});

test('a request that comes in parts is matched as a whole', async () => {
  const fault = proxy.plan('cut-before', containing('left right'));
  const one = await client();
  await ask(one, 'left');
  one.socket.write('left ');
  setImmediate(() => one.socket.write('right\n'));
  await within(Promise.all([fault.happened, one.closed]), 'the cut');
  expect(got).toEqual(['left']);
});

test('held-reply: it is carried out, and the client hears so when the test says', async () => {
  const fault = proxy.plan('held-reply', containing('b'));
  const one = await client();
  await ask(one, 'a');
  one.socket.write('b\n');
  await within(fault.happened, 'the answer');
  await ask(await client(), 'c');
  expect({ got, heard: one.text }).toEqual({ got: ['a', 'b', 'c'], heard: 'did a\n' });
  await fault.deliver();
  await one.hears('did b\n');
  await ask(one, 'd');
});

test('lose-reply: it is carried out, and the client hears nothing', async () => {
  const fault = proxy.plan('lose-reply', containing('b'));
  const one = await client();
  await ask(one, 'a');
  one.socket.write('b\n');
  await within(Promise.all([fault.happened, one.closed, ...closed]), 'the cut');
  expect(got).toEqual(['a', 'b']);
  expect(one.text).toBe('did a\n');
});

test('half-reply: the client hears the first half', async () => {
  const fault = proxy.plan('half-reply', containing('b'));
  const one = await client();
  one.socket.write('b\n');
  await within(Promise.all([fault.happened, one.closed]), 'the cut');
  expect(one.text).toBe('did');
});

test('swallow: nobody is told, and other connections go on', async () => {
  const fault = proxy.plan('swallow', containing('b'));
  const one = await client();
  one.socket.write('b\n');
  await within(fault.happened, 'the fault');
  one.socket.write('c\n');
  const other = await client();
  await ask(other, 'd');
  expect(got).toEqual(['d']);
  expect(one.socket.destroyed).toBe(false);
  expect(sockets.size).toBe(2);
});

test('half-open: the server is told, the client is not', async () => {
  const fault = proxy.plan('half-open', containing('b'));
  const one = await client();
  await ask(one, 'a');
  one.socket.write('b\n');
  await within(Promise.all([fault.happened, ...closed]), 'the close at the server');
  expect(got).toEqual(['a', 'b']);
  expect([one.text, one.socket.destroyed]).toEqual(['did a\n', false]);
});

test('late: the server has the request once it is delivered', async () => {
  const fault = proxy.plan('late', containing('b'));
  const one = await client();
  one.socket.write('b\n');
  await within(Promise.all([fault.happened, one.closed]), 'the cut');
  await ask(await client(), 'c');
  expect(got).toEqual(['c']);
  await within(fault.deliver(), 'the late answer');
  expect(got).toEqual(['c', 'b']);
});

test('black hole: old and new connections hear nothing; after it new ones do', async () => {
  const old = await client();
  await ask(old, 'a');
  proxy.blackHole();
  old.socket.write('b\n');
  const young = await client();
  young.socket.write('c\n');
  old.socket.end();
  proxy.heal();
  await ask(await client(), 'd');
  expect(got).toEqual(['a', 'd']);
  expect([old.text, young.text]).toEqual(['did a\n', '']);
  // Of the client that went away, the server knows nothing.
  expect([...sockets].filter((socket) => !socket.destroyed).length).toBe(3);
});

test('cut: closes what is connected now', async () => {
  const one = await client();
  await ask(one, 'a');
  proxy.cut();
  await within(Promise.all([one.closed, ...closed]), 'the cut');
  await ask(await client(), 'b');
});

test('pace: replies come late and in slices, whole and in order', async () => {
  proxy.pace({ delayMs: 20, bytesPerSecond: 50 });
  const one = await client();
  const started = performance.now();
  one.socket.write('abc\ndef\n');
  await one.hears('did abc\ndid def\n');
  // 16 bytes are four slices of 5, with 100 ms between: a timer may end a little early, never much.
  expect(performance.now() - started).toBeGreaterThan(250);
  proxy.pace({});
  await ask(one, 'g');
});

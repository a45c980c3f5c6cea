import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Deferred, deferred } from './deferred.js';

/** Tells a request by its bytes: all that a client has sent since the last reply, at most the last megabyte. */
export type Matcher = (asked: Buffer) => boolean;

/**
 * What may become of a request:
 * - `cut-before`: it never reaches the server, and both ends see their connection closed
 * - `lose-reply`: the server carries it out; its reply is not delivered, and both ends see the connection closed
 * - `half-reply`: the same, after the first half of the reply
 * - `swallow`: it goes nowhere, nor does anything after it on that connection, and nobody is told
 * - `half-open`: it reaches the server, which then sees the connection closed; the client is told nothing
 * - `late`: the client's connection is closed, and the server has the request once the test delivers it
 * - `last-reply`: it is answered, and nothing after the answer is passed on either way, not even that one of them was closed
 * - `held-reply`: the server carries it out; its reply, and what follows on that connection, comes once the test delivers it
 */
export type FaultKind =
  | 'cut-before'
  | 'lose-reply'
  | 'half-reply'
  | 'swallow'
  | 'half-open'
  | 'late'
  | 'last-reply'
  | 'held-reply';

/** A fault that waits for its request, or has had it. */
export interface PlannedFault {
  /** Resolves when it has happened; for lost and held replies, once the server had answered. */
  readonly happened: Promise<void>;
  /**
   * Of a `late` one: sends the request to the server and resolves when the server has answered. Of a `held-reply`:
   * passes on what was held.
   */
  deliver(): Promise<void>;
}

/** How fast replies are passed on. */
interface Pace {
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
}

/** Stands between clients and a server of any protocol over TCP, and does to them what the test plans. */
export interface FaultProxy {
  readonly port: number;
  /** How many connections were accepted so far. */
  readonly accepted: number;
  /** How many chunks of bytes its clients have sent so far: of those that wait for each answer, their requests. */
  readonly requests: number;
  /** Plans a fault for the next request that matches. Several that match have theirs in the order planned. */
  plan(kind: FaultKind, on: Matcher): PlannedFault;
  /** Closes the connections of now, at both ends. */
  cut(): void;
  /** From now on accepts connections and swallows all bytes, of old ones too. Nobody is told of anything. */
  blackHole(): void;
  /** Ends a black hole for new connections; those that it had stay dead. */
  heal(): void;
  /** How replies are passed on from now on; `{}` is at once. */
  pace(pace: Pace): void;
  close(): Promise<void>;
}

interface Plan {
  readonly kind: FaultKind;
  readonly on: Matcher;
  readonly happened: Deferred;
  link?: Link;
}

/** Matches requests that contain a text. */
export function containing(text: string): Matcher {
  return (asked) => asked.includes(text);
}

/** Starts a proxy on a free port of loopback, for the server on another. */
export async function startFaultProxy(target: number): Promise<FaultProxy> {
  const shared: Shared = { plans: [], isBlackHole: false, pace: {} };
  const links = new Set<Link>();
  let accepted = 0;
  let requests = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1;
    const link = new Link(client, connect(target, '127.0.0.1'), shared, () => links.delete(link));
    client.on('data', () => {
      requests += 1;
    });
    links.add(link);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const cut = (): void => {
    for (const link of links) link.cut();
  };
  return {
    port: address.port,
    get accepted() {
      return accepted;
    },
    get requests() {
      return requests;
    },
    plan: (kind, on) => {
      const plan: Plan = { kind, on, happened: deferred() };
      shared.plans.push(plan);
      return {
        happened: plan.happened.promise,
        deliver: async () => {
          await plan.happened.promise;
          await plan.link?.deliver();
        },
      };
    },
    cut,
    blackHole: () => {
      shared.isBlackHole = true;
      for (const link of links) link.silence();
    },
    heal: () => {
      shared.isBlackHole = false;
    },
    pace: (pace) => {
      shared.pace = pace;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Shared {
  readonly plans: Plan[];
  isBlackHole: boolean;
  pace: Pace;
}

const mostLookedAt = 1_048_576;

/** One client's connection and its own to the server. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #shared: Shared;
  #asked: Buffer = Buffer.alloc(0);
  #isSilent: boolean;
  /** The fault that waits for the reply. */
  #replyPlan: Plan | undefined;
  /** The request of a `late` fault. */
  #kept: Buffer | undefined;
  #onLateReply: (() => void) | undefined;
  /** What the server has said since the request of a `held-reply`. */
  #held: { readonly plan: Plan; readonly chunks: Buffer[] } | undefined;
  #passedOn: Promise<unknown> = Promise.resolve();

  constructor(client: Socket, server: Socket, shared: Shared, onClosed: () => void) {
    this.#client = client;
    this.#server = server;
    this.#shared = shared;
    this.#isSilent = shared.isBlackHole;
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on('error', () => {}); // a close follows
    server.on('error', () => {});
    client.on('data', (chunk: Buffer) => this.#onRequest(chunk));
    server.on('data', (chunk: Buffer) => this.#onReply(chunk));
    client.on('end', () => !this.#isSilent && server.end());
    server.on('end', () => !this.#isSilent && void this.#passedOn.then(() => client.end()));
    client.on('close', () => {
      if (!this.#isSilent) server.destroy();
      if (server.destroyed) onClosed();
    });
    server.on('close', () => {
      if (!this.#isSilent) client.destroy();
      if (client.destroyed) onClosed();
    });
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  silence(): void {
    this.#isSilent = true;
  }

  async deliver(): Promise<void> {
    if (this.#held) return this.#deliverHeld(this.#held.chunks);
    const answered = new Promise<void>((resolve) => {
      this.#onLateReply = resolve;
    });
    this.#server.write(this.#kept ?? '');
    await answered;
    this.#server.destroy();
  }

  #deliverHeld(chunks: readonly Buffer[]): void {
    this.#held = undefined;
    for (const chunk of chunks) this.#passOn(chunk);
  }

  #onRequest(chunk: Buffer): void {
    if (this.#isSilent) return;
    this.#asked = Buffer.concat([this.#asked, chunk]).subarray(-mostLookedAt);
    const { plans } = this.#shared;
    const at = this.#replyPlan ? -1 : plans.findIndex(({ on }) => on(this.#asked));
    const [plan] = at < 0 ? [] : plans.splice(at, 1);
    if (plan) this.#begin(plan, chunk);
    else this.#server.write(chunk);
  }

  #begin(plan: Plan, chunk: Buffer): void {
    switch (plan.kind) {
      case 'lose-reply':
      case 'half-reply':
      case 'last-reply':
        this.#replyPlan = plan;
        this.#server.write(chunk);
        return;
      case 'held-reply':
        this.#held = { plan, chunks: [] };
        plan.link = this;
        this.#server.write(chunk);
        return;
      case 'cut-before':
        this.cut();
        break;
      case 'swallow':
        this.#isSilent = true;
        break;
      case 'half-open':
        this.#isSilent = true;
        this.#server.end(chunk);
        break;
      case 'late':
        this.#isSilent = true;
        this.#kept = chunk;
        plan.link = this;
        this.#client.destroy();
        break;
    }
    plan.happened.resolve();
  }

  #onReply(chunk: Buffer): void {
    this.#onLateReply?.();
    if (this.#isSilent) return;
    this.#asked = Buffer.alloc(0);
    if (this.#held) {
      this.#held.chunks.push(chunk);
      this.#held.plan.happened.resolve();
      return;
    }
    const plan = this.#replyPlan;
    if (plan) {
      this.#isSilent = true;
      if (plan.kind === 'last-reply') {
        this.#client.write(chunk);
        plan.happened.resolve();
        return;
      }
      const half = plan.kind === 'half-reply' ? chunk.subarray(0, Math.ceil(chunk.length / 2)) : '';
      this.#client.end(half, () => {
        this.cut();
        plan.happened.resolve();
      });
      return;
    }
    this.#passOn(chunk);
  }

  #passOn(chunk: Buffer): void {
    const { delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#shared.pace;
    this.#passedOn = this.#passedOn.then(async () => {
      if (delayMs > 0) await pause(delayMs);
      // Ten slices a second.
      const size = Math.max(1, Math.floor(bytesPerSecond / 10));
      for (let from = 0; from < chunk.length; from += size) {
        if (from > 0) await pause(100);
        if (!this.#isSilent && !this.#client.destroyed) this.#client.write(chunk.subarray(from, from + size));
      }
    });
  }
}

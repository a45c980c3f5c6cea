import { setTimeout as pause } from 'node:timers/promises';
import { isQueueError, type Logger, monotonicMs, QueueError } from '../../src/index.js';
import { closed } from './away.js';
import type { Client } from './client.js';
import type { Commands, Transaction } from './commands.js';
import type { RedisSettings } from './options.js';
import { type Reaction, reactionTo } from './redirection.js';
import type { RedisInstance } from './redis-types.js';
import type { Script } from './script.js';
import { Session } from './session.js';
import { mastersIn, type NodeAddress, nameOf, slotOf } from './slots.js';

/** Between two tries of a command whose slot is on its way or has no master. */
const pauseMs = 50;

/** Sends a command to one node, giving it what is left of its time. */
type Send<T> = (node: Session, timeoutMs: number, isAsking: boolean) => Promise<T>;

/**
 * A Redis Cluster: a session for each node, and the knowledge of which one is the master of which slot.
 *
 * Commands are routed here, not by the Cluster client of ioredis, as that one cannot tell a command that was never
 * sent from one whose reply was lost.
 */
export class ClusterSession implements Commands {
  readonly #settings: RedisSettings;
  readonly #seeds: readonly NodeAddress[];
  readonly #logger: Logger;
  readonly #nodes = new Map<string, { readonly address: NodeAddress; readonly session: Session }>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** By slot. */
  #masters: (NodeAddress | undefined)[] = [];
  #looking: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @param seeds nodes to ask for the others. */
  constructor(settings: RedisSettings, seeds: readonly NodeAddress[], logger: Logger) {
    this.#settings = settings;
    this.#seeds = seeds;
    this.#logger = logger;
  }

  get commandTimeoutMs(): number {
    return this.#settings.commandTimeoutMs;
  }

  run<T>(key: string, command: (redis: RedisInstance) => Promise<T>): Promise<T> {
    return this.#routed(key, true, (node, timeoutMs, isAsking) => {
      const send = (redis: RedisInstance): Promise<T> => {
        // What becomes of it is told by the command behind it.
        if (isAsking) redis.asking().catch(() => undefined);
        return command(redis);
      };
      return node.run(key, send, timeoutMs);
    });
  }

  runOnEach<T>(command: (redis: RedisInstance) => Promise<T>): Promise<Map<string, T>> {
    return this.#tracked(async () => {
      await this.#look();
      const masters = new Map([...this.#mastersKnown()].map((address) => [nameOf(address), address]));
      const asked = [...masters].map(
        async ([name, address]): Promise<[string, T]> => [
          name,
          await this.#sessionAt(address).run('', command),
        ],
      );
      return new Map(await Promise.all(asked));
    });
  }

  script<T>(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    timeoutMs = this.commandTimeoutMs,
  ): Promise<T> {
    const send: Send<T> = (node, leftMs) => node.script<T>(script, keys, args, leftMs);
    // It has keys that are not there, and is not taken by the other node either while the slot is on its way.
    return this.#routed(keys[0] ?? '', false, send, timeoutMs);
  }

  /** There is none here: the slot may be on its way from one node to another. */
  transaction<T>({ otherwise }: Transaction<T>): Promise<T> {
    return otherwise();
  }

  async openBlocking(key: string): Promise<Client> {
    if (this.#masters.length === 0) await this.#look();
    return await this.#sessionAt(this.#masterOf(slotOf(key))).openBlocking();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #routed<T>(key: string, mayAsk: boolean, send: Send<T>, limitMs = this.commandTimeoutMs): Promise<T> {
    return this.#tracked(() => this.#route(slotOf(key), mayAsk, send, limitMs));
  }

  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closed(this.#settings.place);
    const pending = work();
    this.#underWay.add(pending);
    try {
      return await pending;
    } finally {
      this.#underWay.delete(pending);
    }
  }

  async #route<T>(slot: number, mayAsk: boolean, send: Send<T>, limitMs: number): Promise<T> {
    const startedAt = monotonicMs();
    if (this.#masters.length === 0) await this.#look();
    let asked: NodeAddress | undefined;
    for (;;) {
      const node = asked ?? this.#masterOf(slot);
      const spentMs = Math.round(monotonicMs() - startedAt);
      try {
        // A node has half of the time at least: one that is asked in the last moment would seem to hang.
        const timeoutMs = Math.max(limitMs / 2, limitMs - spentMs);
        return await send(this.#sessionAt(node), timeoutMs, asked !== undefined);
      } catch (error) {
        const reaction = reactionTo(error, node);
        asked = mayAsk && reaction.kind === 'ask' ? reaction.to : undefined;
        const isMended = asked !== undefined || (await this.#mend(slot, node, reaction));
        if (isMended && monotonicMs() - startedAt < limitMs / 2) continue;
        throw reaction.kind === 'moved' ? this.#astray(error) : error;
      }
    }
  }

  /** Does something about the error of a node; answers whether the command is worth another try. */
  async #mend(slot: number, node: NodeAddress, reaction: Reaction): Promise<boolean> {
    switch (reaction.kind) {
      case 'fail':
        return false;
      case 'ask':
      case 'wait':
        await pause(pauseMs);
        return true;
      case 'moved':
        this.#masters[slot] = reaction.to;
        this.#look().catch(() => undefined); // more slots may have moved
        return true;
      case 'lost':
        this.#look().catch(() => undefined); // for the commands after this one
        return false;
      case 'away':
        await Promise.race([
          this.#look().catch(() => undefined),
          pause(this.#settings.commandTimeoutMs / 2, undefined, { ref: false }),
        ]);
        return nameOf(this.#masterOf(slot)) !== nameOf(node);
    }
  }

  #astray(error: unknown): QueueError {
    const cause = error instanceof Error ? error.cause : undefined;
    const what = `${this.#settings.place}: its nodes do not agree which of them has this slot; nothing was changed`;
    const fix = 'It passes once they do: see CLUSTER NODES.';
    return new QueueError('E_STORE_UNAVAILABLE', what, { fix, transient: true, cause });
  }

  /** Any node for a slot without one: it tells what is the matter. */
  #masterOf(slot: number): NodeAddress {
    return this.#masters[slot] ?? (this.#seeds[0] as NodeAddress);
  }

  /** One may come twice: once for each range of its slots. */
  #mastersKnown(): Set<NodeAddress> {
    return new Set(this.#masters.filter((address) => address !== undefined));
  }

  #sessionAt(address: NodeAddress): Session {
    const name = nameOf(address);
    const known = this.#nodes.get(name);
    if (known !== undefined) return known.session;
    const { host, port } = address;
    const clientOptions = { ...this.#settings.clientOptions, host, port };
    const session = new Session(
      { ...this.#settings, clientOptions, place: `redis at ${name}` },
      this.#logger,
    );
    this.#nodes.set(name, { address, session });
    return session;
  }

  /** Finds out who has which slot; one look serves all who need it. Rejects where no node tells. */
  #look(): Promise<void> {
    this.#looking ??= this.#askAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #askAll(): Promise<void> {
    const known = new Map(this.#seeds.map((address) => [nameOf(address), address]));
    for (const [name, { address }] of this.#nodes) known.set(name, address);
    const asked = [...known.values()].map((address) => this.#mastersBy(address));
    try {
      this.#masters = await Promise.any(asked);
    } catch (error) {
      const { errors } = error as AggregateError;
      throw errors.find((one) => isQueueError(one) && !one.transient) ?? errors[0];
    }
    this.#dropLeftNodes();
  }

  async #mastersBy(address: NodeAddress): Promise<NodeAddress[]> {
    const ask = (redis: RedisInstance): Promise<unknown> => redis.callBuffer('CLUSTER', ['SLOTS']);
    return mastersIn(await this.#sessionAt(address).run('', ask), address);
  }

  /** Ends the connections to nodes that are masters no more. */
  #dropLeftNodes(): void {
    const kept = new Set(this.#seeds.map(nameOf));
    for (const master of this.#mastersKnown()) kept.add(nameOf(master));
    for (const [name, { session }] of this.#nodes) {
      if (kept.has(name)) continue;
      this.#nodes.delete(name);
      void session.close();
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#looking?.catch(() => undefined);
    await Promise.all([...this.#nodes.values()].map(({ session }) => session.close()));
  }
}

import { beforeEach, describe, expect, test } from 'vitest';
import { NotConnected } from '../../drivers/database/errors.js';
import { OwnPool, type PoolSource } from '../../drivers/database/own-pool.js';

/** Numbers its connections, and says what becomes of them. */
class Numbered implements PoolSource<number> {
  readonly most = 2;
  idleMs = 60_000;
  readonly lost = new Set<number>();
  readonly closed: number[] = [];
  refusal: Error | undefined;
  /** What each that is opened waits for. */
  gate: Promise<void> | undefined;
  opened = 0;
  whenClosed: () => void = () => {};
  #made = 0;

  async open(): Promise<number> {
    this.opened += 1;
    await this.gate;
    if (this.refusal !== undefined) throw this.refusal;
    this.#made += 1;
    return this.#made;
  }

  isLost(connection: number): boolean {
    return this.lost.has(connection);
  }

  async close(connection: number): Promise<void> {
    this.closed.push(connection);
    this.whenClosed();
  }
}

const nobody = (): Promise<'nobody'> => new Promise((resolve) => setImmediate(resolve, 'nobody'));

describe('a pool of ours', () => {
  let source: Numbered;
  let pool: OwnPool<number>;
  beforeEach(() => {
    source = new Numbered();
    pool = new OwnPool(source);
  });

  test('lends at once what was given back, the last one first', async () => {
    const [first, second] = [await pool.take(), await pool.take()];
    pool.giveBack(first);
    pool.giveBack(second);
    expect([pool.take(), pool.take()]).toEqual([second, first]);
  });

  test('opens no more than it may: others wait, and those who came first get one first', async () => {
    const [first, second] = [await pool.take(), await pool.take()];
    const order: string[] = [];
    const waiting = ['a', 'b'].map(async (name) => {
      const connection = await pool.take();
      order.push(`${name} ${connection}`);
    });
    pool.giveBack(second);
    pool.giveBack(first);
    await Promise.all(waiting);
    expect(order).toEqual([`a ${second}`, `b ${first}`]);
  });

  test('gives one that came back to who waits, though another is being opened for it', async () => {
    const first = await pool.take();
    let open = (): void => {};
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting = pool.take();
    pool.giveBack(first);
    expect(await Promise.race([waiting, nobody()])).toBe(first);
    open();
    expect(await pool.take()).toBe(2);
  });

  test('passes over who does not wait any more, and opens none for it', async () => {
    const [first, second] = [await pool.take(), await pool.take()];
    let isWanted = true;
    const gone = [pool.take(() => isWanted), pool.take(() => isWanted)];
    const waiting = pool.take();
    isWanted = false;
    source.lost.add(first);
    pool.giveBack(first);
    expect(await waiting).toBe(3);
    pool.giveBack(second);
    expect(pool.take()).toBe(second);
    expect(source.opened).toBe(3);
    expect(await Promise.race([...gone, nobody()])).toBe('nobody');
  });

  test('closes what is lost, whether it is lent or free, and opens another', async () => {
    const [first, second] = [await pool.take(), await pool.take()];
    const waiting = pool.take();
    source.lost.add(first);
    pool.giveBack(first);
    expect(await waiting).toBe(3);
    pool.giveBack(second);
    source.lost.add(second);
    expect(await pool.take()).toBe(4);
    expect(source.closed).toEqual([first, second]);
  });

  test('tells who opened of a failure, and the next who waits tries again', async () => {
    source.refusal = new Error('too many connections');
    const [first, second, third] = [pool.take(), pool.take(), pool.take()];
    for (const end of await Promise.allSettled([first, second, third])) {
      expect(end).toEqual({ status: 'rejected', reason: expect.any(NotConnected) });
      expect(end).toMatchObject({ reason: { cause: source.refusal } });
    }
    source.refusal = undefined;
    expect(await Promise.all([pool.take(), pool.take()])).toEqual([1, 2]);
  });

  test('closes one that nobody has used for long, and none that is lent', async () => {
    source.idleMs = 20;
    const idle = new OwnPool(source);
    const [first, second] = [await idle.take(), await idle.take()];
    const closed = new Promise<void>((resolve) => {
      source.whenClosed = resolve;
    });
    idle.giveBack(first);
    await closed;
    expect(source.closed).toEqual([first]);
    const closedToo = new Promise<void>((resolve) => {
      source.whenClosed = resolve;
    });
    idle.giveBack(second);
    await closedToo;
    expect(source.closed).toEqual([first, second]);
    expect(await idle.take()).toBe(3);
  });

  test('at its end tells who waits, and closes what is still being opened once it is', async () => {
    let open = (): void => {};
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting = pool.take();
    const closed = new Promise<void>((resolve) => {
      source.whenClosed = resolve;
    });
    await Promise.all([pool.end(), expect(waiting).rejects.toThrow(NotConnected)]);
    open();
    await closed;
    expect(source.closed).toEqual([1]);
    expect(() => pool.take()).toThrow(NotConnected);
  });

  test('at its end closes the free ones, and the lent ones when they come back; nobody waits on', async () => {
    const [first, second] = [await pool.take(), await pool.take()];
    const waiting = pool.take();
    const free = new Numbered();
    const other = new OwnPool(free);
    other.giveBack(await other.take());
    await Promise.all([pool.end(), other.end()]);
    expect(free.closed).toEqual([1]);
    await expect(waiting).rejects.toThrow(NotConnected);
    expect(source.closed).toEqual([]);
    pool.giveBack(first);
    pool.giveBack(second);
    expect(source.closed).toEqual([first, second]);
  });
});

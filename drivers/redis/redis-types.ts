// biome-ignore-all lint/suspicious/noExplicitAny: ioredis overloads these in more ways than can be named here.

/**
 * A ready ioredis client, described by what the driver uses of it, so that projects without ioredis can
 * type-check against drover.
 */
export interface RedisInstance {
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options?: Readonly<Record<string, any>>;
  /** Its socket, while it is connected. */
  readonly stream?: {
    cork(): void;
    uncork(): void;
    on(event: 'data', listener: () => void): any;
    off(event: 'data', listener: () => void): any;
  };
  nodes?(role: 'master'): RedisInstance[];
  connect(): Promise<any>;
  on(event: string, listener: (...args: any[]) => void): any;
  off(event: string, listener: (...args: any[]) => void): any;
  duplicate(options?: any): any;
  disconnect(reconnect?: boolean): any;
  call(...args: any[]): Promise<any>;
  callBuffer(...args: any[]): Promise<any>;
  asking(): Promise<any>;
  info(...sections: any[]): Promise<string>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<any>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  zrevrangebyscore(...args: any[]): Promise<string[]>;
  zrangebylex(...args: any[]): Promise<string[]>;
}

/** Options of ioredis that the driver passes on: `sentinels`, `family`, `keepAlive`, `tls` and so on. */
export type IoredisOptions = Readonly<Record<string, unknown>>;

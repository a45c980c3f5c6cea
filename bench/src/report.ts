import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Store } from './contender.js';
import { Results, type Saved } from './results.js';

/** The stores as they are written, in the order in which they are shown. */
export const storeNames: Readonly<Record<Store, string>> = {
  redis: 'Redis',
  postgres: 'PostgreSQL',
  mysql: 'MariaDB',
  sqlite: 'SQLite',
  sync: 'No store',
};

/** A file of results. */
interface SavedReport {
  readonly at: string;
  readonly node: string;
  readonly cores: number;
  readonly stores: Partial<Record<Store, Saved>>;
}

/** The results of all stores. */
export class Report {
  readonly #stores = new Map<Store, Results>();

  /** The results of a store, to read and to add to. */
  of(store: Store): Results {
    const found = this.#stores.get(store) ?? new Results(store);
    this.#stores.set(store, found);
    return found;
  }

  get stores(): Store[] {
    return (Object.keys(storeNames) as Store[]).filter((store) => this.#stores.has(store));
  }

  /** Adds what a file holds. */
  load(file: string): void {
    const { stores } = JSON.parse(readFileSync(file, 'utf8')) as SavedReport;
    for (const [store, saved] of Object.entries(stores)) this.of(store as Store).merge(saved);
  }

  save(file: string): void {
    const saved: SavedReport = {
      at: new Date().toISOString(),
      node: process.version,
      cores: availableParallelism(),
      stores: Object.fromEntries([...this.#stores].map(([store, results]) => [store, results.toJSON()])),
    };
    writeFileSync(file, `${JSON.stringify(saved, null, 2)}\n`);
  }

  /** Tables of Markdown. */
  get text(): string {
    const machine = `Node ${process.version}, ${availableParallelism()} cores`;
    return this.stores.map((store) => `## ${store}: ${machine}\n\n${this.of(store).text}`).join('\n\n');
  }
}

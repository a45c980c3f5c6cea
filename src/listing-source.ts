import type { Connector } from './connector.js';
import type { FailedJobs } from './failed-jobs-api.js';
import type { HistoryStore } from './history-store.js';
import type { QueueCore } from './queue-core.js';
import { nativeFormat, type WireFormat } from './wire-format.js';

/** What a listing reads from. */
export interface ListingSource {
  readonly connection: string;
  readonly ownQueue: string;
  readonly connector: Connector;
  readonly failed: FailedJobs;
  /** Undefined where the connection keeps no history. */
  readonly history: HistoryStore | undefined;
  readonly nowMs: number;
  /** How the connection's bodies are written. */
  readonly wire: WireFormat;
}

/** The source for listings of a connection, with what ended in this process written, so that it is seen. */
export async function listingSource(core: QueueCore, connection: string): Promise<ListingSource> {
  const { connections, history, failed, clock } = core;
  const { settings, wire } = connections.driver(connection);
  const connector = connections.connector(connection);
  await history.of(connection)?.flush();
  return {
    connection,
    ownQueue: settings.queue,
    connector,
    failed,
    history: history.storeOf(connection),
    nowMs: clock.now(),
    wire: wire ?? nativeFormat,
  };
}

import { MemoryConnector } from '../../drivers/memory/connector.js';
import { type Connector, systemClock } from '../../src/index.js';
import type { HarnessFactory } from '../conformance/index.js';

/** What {@link memoryHarness} can be asked for. */
export interface MemoryHarnessOptions {
  /** Changes the connector under test, to see whether the suite minds. */
  wrap?(connector: MemoryConnector): Connector;
  readonly patienceMs?: number;
}

/** A memory store whose time is moved by hand, or the machine's for the cases in real time. */
export function memoryHarness({ wrap, patienceMs }: MemoryHarnessOptions = {}): HarnessFactory {
  return {
    async open({ realTime }) {
      let nowMs = Date.now();
      const clock = realTime ? systemClock : { now: () => nowMs };
      const memory = new MemoryConnector(clock);
      const connector = wrap?.(memory) ?? memory;
      return {
        connector,
        other: connector,
        ...(patienceMs === undefined ? {} : { patienceMs }),
        now: async () => clock.now(),
        advance: async (ms) => {
          nowMs += ms;
        },
        close: () => memory.close(),
      };
    },
  };
}

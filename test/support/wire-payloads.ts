import type { Connector, NewJob } from '../../src/index.js';

/** What a body of the suite is, as a payload of other programs: text that they could read. */
function payloadOf({ id, body }: NewJob, first: number): string {
  return JSON.stringify({ job: 'x', data: body, id, attempts: first });
}

function bodyOf(payload: string): string {
  try {
    const { job, data } = JSON.parse(payload);
    return job === 'x' && typeof data === 'string' ? data : payload;
  } catch {
    return payload;
  }
}

/**
 * A connector whose bodies are payloads of a wire, however they look from outside.
 *
 * @param first what `attempts` of a new job is.
 */
export function inPayloads(connector: Connector, first: number): Connector {
  const read = <T extends { readonly body: string }>(job: T): T => ({ ...job, body: bodyOf(job.body) });
  const own: Partial<Connector> = {
    push: async (queue, jobs) => {
      const inForm = jobs.map((job) => ({ ...job, body: payloadOf(job, first) }));
      return await connector.push(queue, inForm);
    },
    reserve: async (...args) => (await connector.reserve(...args)).map(read),
    deleteAndReserve: async (...args) => {
      const { held, jobs } = (await connector.deleteAndReserve?.(...args)) ?? { held: [], jobs: [] };
      return { held, jobs: jobs.map(read) };
    },
    peek: async (...args) => ((await connector.peek?.(...args)) ?? []).map(read),
    find: async (...args) => {
      const found = await connector.find?.(...args);
      return found ? read(found) : null;
    },
  };
  return new Proxy(connector, {
    get(target, key) {
      const value = own[key as keyof Connector] ?? target[key as keyof Connector];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

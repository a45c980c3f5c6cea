import type { ConformanceCase, ConformanceHarness } from '../harness.js';
import {
  type SettlingVerb,
  settlingVerbs,
  type WayToLose,
  waysToAnotherHolder,
  waysToNoHolder,
} from '../settling-verbs.js';
import { holds, holdsSize, leaseMs, pastLeaseMs, pushAndReserve, reserveAll, reserveOne } from '../steps.js';

/** Every settling verb, by a holder whose lease is lost: it answers false and changes nothing. */
export const fencingCases: readonly ConformanceCase[] = [
  ...settlingVerbs.flatMap((verb) => waysToAnotherHolder.map((way) => againstAnotherHolder(verb, way))),
  ...settlingVerbs.flatMap((verb) => waysToNoHolder.map((way) => againstNoHolder(verb, way))),
  ...settlingVerbs.map(onLapsedLease),
  ...settlingVerbs.map(besideTheHolder),
  {
    name: "fencing: a late extend moves the end of nobody's lease",
    async run({ connector, other, advance }) {
      const stale = await pushAndReserve(connector);
      await connector.release([{ lease: stale.lease, delayMs: 0 }]);
      await reserveOne(other);
      holds('a late extend answers false', await connector.extend([stale.lease], 600_000), [false]);
      await advance(75_000);
      const next = await reserveOne(other, 'q', 600_000);
      holds('a late extend makes no lease longer', next.attempts, 3);
      holds('a late extend answers false', await connector.extend([stale.lease], 20_000), [false]);
      await advance(60_000);
      holds('a late extend makes no lease shorter', await reserveAll(connector), []);
    },
  },
];

function needsOf(...parts: readonly Pick<WayToLose, 'needs'>[]): Pick<ConformanceCase, 'needs'> {
  return { needs: [...new Set(parts.flatMap(({ needs }) => needs))] };
}

async function failedCount({ connector }: ConformanceHarness): Promise<number> {
  return (await connector.failedJobs?.list())?.length ?? 0;
}

function againstAnotherHolder(verb: SettlingVerb, way: WayToLose): ConformanceCase {
  return {
    name: `fencing: after the job ${way.name}, a late ${verb.name} changes nothing`,
    ...needsOf(verb, way),
    async run(harness) {
      const { connector, advance } = harness;
      const stale = await pushAndReserve(connector);
      const next = await way.lose(harness, stale);
      const failed = await failedCount(harness);
      for (const time of ['a late', 'a repeated late']) {
        holds(`${time} ${verb.name} answers false`, await verb.call(connector, [stale]), [false]);
        await holdsSize(`${time} ${verb.name} changes nothing`, connector, { reserved: 1 });
      }
      holds(`a late ${verb.name} records no failure`, await failedCount(harness), failed);
      await advance(leaseMs / 2);
      holds(`after a late ${verb.name} the job is still kept from others`, await reserveAll(connector), []);
      await theHolderCanSettle(`after a late ${verb.name}`, harness, next);
    },
  };
}

/** The current holder extends, the extension counts, and the delete leaves nothing behind. */
async function theHolderCanSettle(
  when: string,
  { connector, other, advance }: ConformanceHarness,
  next: Awaited<ReturnType<WayToLose['lose']>>,
): Promise<void> {
  const { lease } = next as Awaited<ReturnType<typeof pushAndReserve>>;
  holds(`${when} the holder can extend`, await other.extend([lease], 600_000), [true]);
  await advance(pastLeaseMs);
  holds(`${when} the holder's own extension counts`, await reserveAll(connector), []);
  holds(`${when} the holder can delete`, await other.delete([lease]), [true]);
  await holdsSize(`${when} nothing is left behind`, connector, {});
  await advance(1_200_000);
  holds(`${when} nothing comes later`, await reserveAll(connector), []);
}

function besideTheHolder(verb: SettlingVerb): ConformanceCase {
  return {
    name: `fencing: ${verb.name} tells a late lease of a job from its newest one in the same call`,
    ...needsOf(verb),
    async run({ connector }) {
      for (const [index, rule] of ['the late one first', 'the late one last'].entries()) {
        const late = await pushAndReserve(connector, `job-${index}`);
        await connector.release([{ lease: late.lease, delayMs: 0 }]);
        const newest = await reserveOne(connector);
        const held = index === 0 ? [late, newest] : [newest, late];
        const answers = await verb.call(connector, held);
        holds(
          `${verb.name} of both, ${rule}`,
          answers,
          held.map((one) => one === newest),
        );
        await connector.clear('q', { reserved: true });
      }
    },
  };
}

function againstNoHolder(verb: SettlingVerb, way: WayToLose): ConformanceCase {
  return {
    name: `fencing: after the job ${way.name}, ${verb.name} changes nothing`,
    ...needsOf(verb, way),
    async run(harness) {
      const { connector, other, advance } = harness;
      const stale = await pushAndReserve(connector);
      await way.lose(harness, stale);
      const size = await connector.size('q');
      const failed = await failedCount(harness);
      holds(`${verb.name} answers false where the lease is lost`, await verb.call(connector, [stale]), [
        false,
      ]);
      holds(`and false again by another connector`, await verb.call(other, [stale]), [false]);
      holds(`${verb.name} of a lost lease changes nothing`, await connector.size('q'), size);
      holds(`${verb.name} of a lost lease records no failure`, await failedCount(harness), failed);
      await advance(1_200_000);
      const { ready, delayed } = size;
      const left = (await reserveAll(connector)).length;
      holds(`${verb.name} of a lost lease brings no job back`, left, ready + delayed);
    },
  };
}

/** Between lapse and takeover a connector may say either, but what it says must be what happened. */
function onLapsedLease(verb: SettlingVerb): ConformanceCase {
  return {
    name: `fencing: what ${verb.name} answers for a lapsed lease is what happened`,
    ...needsOf(verb),
    async run(harness) {
      const { connector, other, advance } = harness;
      const held = await pushAndReserve(connector);
      await advance(pastLeaseMs);
      const [wasHeld] = await verb.call(connector, [held]);
      const taken = await reserveAll(other);
      const said = `${verb.name} of a lapsed lease said ${wasHeld}`;
      if (!wasHeld) {
        holds(
          `${said}, so the job is there`,
          taken.map(({ attempts }) => attempts),
          [2],
        );
        holds(`${said}, so there is no record`, await failedCount(harness), 0);
        return;
      }
      const attemptsAfter = {
        extend: [],
        delete: [],
        deleteAndReserve: [],
        release: [2],
        unreserve: [1],
        postpone: [1],
        releaseThrown: [2],
        fail: [],
      }[verb.name];
      holds(
        `${said} (attempts of what can be reserved)`,
        taken.map(({ attempts }) => attempts),
        attemptsAfter,
      );
      holds(`${said} (records)`, await failedCount(harness), verb.name === 'fail' ? 1 : 0);
      if (verb.name === 'extend') {
        holds(`${said}, so the holder can delete`, await connector.delete([held.lease]), [true]);
      }
    },
  };
}

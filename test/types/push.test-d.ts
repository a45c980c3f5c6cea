// Checked by `tsc -p tsconfig.json`, never run: a line that ought to be refused stands under @ts-expect-error.
import { z } from 'zod';
import { type createQueue, defineJob, type Job, type Pushable, type PushEntry } from '../../src/index.js';
import { type Equal, expectType } from './equal.js';

declare const queue: ReturnType<typeof createQueue>;

const mail = defineJob({
  name: 'mail.send',
  handle({ data, job, signal }: { data: { to: string }; job: Job; signal: AbortSignal }) {
    expectType<Equal<typeof data, { to: string }>>();
    expectType<Equal<typeof signal, AbortSignal>>();
    void job.release('5m');
    // @ts-expect-error a span with a unit that there is not
    void job.release('5 min');
  },
});
const typed = defineJob<{ to: string; copies?: number }>({
  name: 'typed',
  handle({ data }) {
    expectType<Equal<typeof data, { to: string; copies?: number }>>();
  },
  failed({ data, error }) {
    expectType<Equal<typeof data, { to: string; copies?: number }>>();
    expectType<Equal<typeof error, unknown>>();
  },
});
const bare = defineJob({
  name: 'bare',
  handle({ data }) {
    expectType<Equal<typeof data, unknown>>();
  },
});
const order = defineJob({
  name: 'order',
  input: z.object({ id: z.string().transform(Number), note: z.string().default('') }),
  handle({ data }) {
    expectType<Equal<typeof data, { id: number; note: string }>>();
  },
  failed({ data }) {
    expectType<Equal<typeof data, { id: number; note: string }>>();
  },
});
class Dismiss {
  fire() {}
}

export async function pushes(): Promise<void> {
  expectType<Equal<Awaited<ReturnType<typeof queue.push>>, string>>();

  await queue.push(mail, { to: 'a' });
  await queue.push(mail, { to: 'a' }, { delay: '5m', tries: 3, timeout: 30, backoff: ['1s', 2] });
  // @ts-expect-error of the wrong type
  await queue.push(mail, { to: 1 });
  // @ts-expect-error lacks a property
  await queue.push(mail, {});
  // @ts-expect-error has one too many
  await queue.push(mail, { to: 'a', cc: 'b' });
  // @ts-expect-error is text
  await queue.push(mail, 'a');
  // @ts-expect-error is missing
  await queue.push(mail);

  await queue.push(typed, { to: 'a' });
  await queue.push(typed, { to: 'a', copies: 2 });
  // @ts-expect-error of the wrong type
  await queue.push(typed, { to: 'a', copies: '2' });

  // Nothing is known of these.
  await queue.push(bare);
  await queue.push(bare, { any: 'thing' });
  await queue.push(Dismiss);
  await queue.push(Dismiss, [1]);
  await queue.push('by.name');
  await queue.push('by.name', { any: 'thing' }, { id: 'mine' });

  // With a schema: what it takes is pushed, what it gives is handled.
  await queue.push(order, { id: '1' });
  await queue.push(order, { id: '1', note: 'n' });
  // @ts-expect-error is what the schema gives, not what it takes
  await queue.push(order, { id: 1 });
  // @ts-expect-error is missing
  await queue.push(order);
}

export async function others(): Promise<void> {
  await queue.later('5m', mail, { to: 'a' });
  await queue.later(new Date(), mail, { to: 'a' }, { id: 'mine' });
  // @ts-expect-error a span with a unit that there is not
  await queue.later('5 min', mail, { to: 'a' });
  // @ts-expect-error of the wrong type
  await queue.later(5, mail, { to: 1 });
  // @ts-expect-error is missing
  await queue.later(5, mail);
  // @ts-expect-error two delays
  await queue.later(5, mail, { to: 'a' }, { delay: 6 });

  await queue.bulk(mail, [{ to: 'a' }, { to: 'b' }], { queue: 'many' });
  // @ts-expect-error of the wrong type
  await queue.bulk(mail, [{ to: 'a' }, { to: 1 }]);
  // @ts-expect-error one id for all
  await queue.bulk(mail, [{ to: 'a' }], { id: 'mine' });

  await queue.pushMany([[mail, { to: 'a' }], [order, { id: '1' }, { delay: 5 }], ['by.name'], [Dismiss, 1]]);
  const entries: PushEntry[] = [[mail, { to: 'a' }]];
  const pushable: Pushable = mail;
  void [entries, pushable];
}

export async function options(): Promise<void> {
  // @ts-expect-error a typing error
  await queue.push('job', null, { dealy: 5 });
  // @ts-expect-error a unit that there is not
  await queue.push('job', null, { delay: '5 min' });
  // @ts-expect-error no unit
  await queue.push('job', null, { delay: 'soon' });
  // @ts-expect-error a Date is `at`
  await queue.push('job', null, { delay: new Date() });
  // @ts-expect-error a span is `delay`
  await queue.push('job', null, { at: 5 });
  // @ts-expect-error a unit that there is not
  await queue.push('job', null, { timeout: '1 minute' });
  // @ts-expect-error a span in a list
  await queue.push('job', null, { backoff: ['1s', 'soon'] });
  // @ts-expect-error a kind that there is not
  await queue.push('job', null, { backoff: { type: 'linear', base: 1 } });
}

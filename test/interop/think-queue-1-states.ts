import { golden } from '../support/golden.js';
import { due, type Golden, type KeyContent } from './golden-case.js';

type Keys = Readonly<Record<string, KeyContent>>;

const { cases } = golden<{ readonly cases: readonly Golden[] }>('think-queue-1.1.6-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

/** What was pushed when the cases were recorded. */
export const think1Data = {
  name: '中文/emoji 😀 "quoted" \\ back',
  n: 1,
  f: 1.5,
  z: 1.0,
  big: 9223372036854775807n,
  empty_arr: [],
  empty_obj: {},
  nil: null,
  t: true,
  list: [1, 2],
  html: "<a href='x'>&</a>",
};

const listed = (...items: string[]): Keys => ({ 'queues:golden': { type: 'list', items } });
const scored = (key: string, score: number, ...members: string[]): Keys => ({
  [`queues:golden:${key}`]: {
    type: 'zset',
    items: members.map((member) => ({ member, score: String(score) })),
  },
});

/** What an earlier case left, its scores being due by then. */
const leftDue = (name: string): Keys => due(of(name).keys_after, of(name).unix_before);

const poison = '{"job":"app\\\\job\\\\Demo","data":1}';

/** What stands in Redis before a recorded case. */
export function beforeCase(name: string): Keys {
  const { unix_before: now } = of(name);
  const states: Readonly<Record<string, () => Keys>> = {
    pop: () => of('push').keys_after,
    delete: () => of('pop').keys_after,
    pop_for_release: () => of('push_at_method').keys_after,
    release: () => of('pop_for_release').keys_after,
    pop_migrates_delayed: () => leftDue('release'),
    pop_migrates_expired_reserved: () => leftDue('pop_migrates_delayed'),
    stale_delete: () => of('pop_migrates_expired_reserved').keys_after,
    stale_release: () => of('stale_delete').keys_after,
    pop_foreign_encoding: () =>
      listed('{"job":"app\\\\job\\\\Demo","data":{"o":{},"f":1.0,"u":"é/x"},"id":"fromnode","attempts":1}'),
    release_foreign_encoding: () => of('pop_foreign_encoding').keys_after,
    pop_without_attempts: () => listed(poison),
    expired_without_attempts: () => scored('reserved', now - 1, poison),
    migrate_3: () =>
      scored('delayed', now - 1, ...[0, 1, 2].map((id) => `{"job":"x","id":"${id}","attempts":1}`)),
  };
  return states[name]?.() ?? {};
}

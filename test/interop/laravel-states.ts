import { golden } from '../support/golden.js';
import type { LaravelObject } from '../support/laravel-queue.js';
import type { Golden, KeyContent } from './golden-case.js';

type Keys = Readonly<Record<string, KeyContent>>;

const { cases } = golden<{ readonly cases: readonly Golden[] }>('laravel-12-redis');
const of = (name: string): Golden => cases.find((one) => one.name === name) as Golden;

/** The payload that a recorded case is about. */
export function payloadIn(one: Golden): string {
  return one.commands.flat().findLast((arg) => arg.startsWith('{"')) ?? '{}';
}

/** What was pushed when the cases were recorded. */
export const laravelPushes = {
  data: { u: '中/文', e: [], o: {}, f: 1.0, big: 9223372036854775807n },
  plain: {
    commandName: 'App\\Jobs\\Plain',
    command: 'O:14:"App\\Jobs\\Plain":1:{s:4:"name";s:7:"中/文";}',
  } satisfies LaravelObject,
  withOptions: {
    commandName: 'App\\Jobs\\Demo',
    command:
      'O:13:"App\\Jobs\\Demo":5:{s:5:"tries";i:3;s:7:"timeout";i:30;s:7:"backoff";a:2:{i:0;i:1;i:1;i:5;}s:13:"maxExceptions";i:2;s:7:"\0*\0name";s:1:"n";}',
    settings: { maxTries: 3, maxExceptions: 2, backoff: '1,5', timeout: 30, retryUntil: 1900000000 },
  } satisfies LaravelObject,
};

/** What stands in Redis before a recorded case. */
export function beforeLaravelCase(name: string): Keys {
  const before: Readonly<Record<string, string>> = {
    pop: 'push_string',
    release: 'pop',
    pop2: 'push_object',
    delete: 'pop2',
  };
  const earlier = before[name];
  if (earlier !== undefined) return of(earlier).keys_after;
  if (name !== 'pop_migrates') return {};
  const score = String(of(name).unix_before - 1);
  const items = [{ member: payloadIn(of('later')), score }];
  return { 'queues:golden:delayed': { type: 'zset', items } };
}

import { QueueError } from './errors.js';
import { isObjectJob } from './object-job.js';
import type { NameRule } from './php-names.js';
import { shown } from './shown.js';

/** Wire names come from payloads: whoever writes those must not fill our memory. */
const mostKept = 1000;

/** What names mean by the rule of a config. Answers are kept, as the rule is pure. */
export class RuledNames {
  readonly #rule: NameRule;
  readonly #isKnown: (name: string) => boolean;
  readonly #onError: (error: unknown, wireName: string) => void;
  readonly #kept = new Map<string, string | undefined>();

  constructor(
    rule: NameRule,
    isKnown: (name: string) => boolean,
    onError: (error: unknown, wireName: string) => void,
  ) {
    this.#rule = rule;
    this.#isKnown = isKnown;
    this.#onError = onError;
  }

  /** The registered name that a wire name means; undefined where it means none. Never throws. */
  meantBy(wireName: string): string | undefined {
    if (this.#kept.has(wireName)) return this.#kept.get(wireName);
    const meant = this.#ask(wireName);
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(wireName, meant);
    return meant;
  }

  /** Forgets what was found: other jobs are registered now. */
  forget(): void {
    this.#kept.clear();
  }

  #ask(wireName: string): string | undefined {
    if (isObjectJob(wireName)) return undefined;
    try {
      const answer = this.#rule(wireName) ?? [];
      const names: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
      for (const name of names) {
        if (typeof name !== 'string') throw noName(name);
        if (this.#isKnown(name)) return name;
      }
    } catch (error) {
      this.#onError(error, wireName);
    }
    return undefined;
  }
}

function noName(given: unknown): QueueError {
  return new QueueError('E_CONFIG', `names: ${shown(given)} is not the name of a job`, {
    fix: 'Answer a name, a list of names, or undefined.',
  });
}

import { withoutCredentials } from './plain-text.js';

/** What is shown of an error. */
export interface ShownError {
  readonly class: string;
  readonly message: string;
}

/**
 * Class and message of a thrown value or of a description of one, without credentials. Reads nothing else of
 * it: other properties may hold secrets. Cannot throw, whatever getters do.
 */
export function errorText(thrown: unknown): ShownError {
  try {
    if (typeof thrown !== 'object' || thrown === null)
      return { class: 'NonErrorThrown', message: withoutCredentials(String(thrown)) };
    const { name, class: described, message } = thrown as Record<string, unknown>;
    const kind = [described, name].find((one) => typeof one === 'string' && one !== '');
    return {
      class: (kind as string | undefined) ?? 'Error',
      message: typeof message === 'string' ? withoutCredentials(message) : '(no message)',
    };
  } catch {
    return { class: 'Error', message: '(unreadable)' };
  }
}

import { withoutCredentials } from '../src/credentials.js';

/** What is shown of an error. */
export interface ShownError {
  readonly class: string;
  readonly message: string;
  /** The code in the common form of codes, where there is one. */
  readonly code?: string;
}

/**
 * Class, message and code of a thrown value or of a description of one, without credentials. Reads nothing else of
 * it: other properties may hold secrets. Cannot throw, whatever getters do.
 */
export function errorText(thrown: unknown): ShownError {
  try {
    if (typeof thrown !== 'object' || thrown === null)
      return { class: 'NonErrorThrown', message: withoutCredentials(String(thrown)) };
    const { name, class: described, message, code } = thrown as Record<string, unknown>;
    const kind = [described, name].find((one) => typeof one === 'string' && one !== '');
    return {
      class: (kind as string | undefined) ?? 'Error',
      message: typeof message === 'string' ? withoutCredentials(message) : '(no message)',
      ...(typeof code === 'string' && /^[\w./-]{1,64}$/.test(code) && { code }),
    };
  } catch {
    return { class: 'Error', message: '(unreadable)' };
  }
}

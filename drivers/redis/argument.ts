/** Of a text that is cheaper sent as bytes. */
const fewestBytes = 4096;

/**
 * A long text as its bytes: the client makes one text of a command of texts, which is copied once more, and encoded
 * character by character.
 */
export function asArgument(text: string): string | Buffer {
  return text.length < fewestBytes ? text : Buffer.from(text);
}

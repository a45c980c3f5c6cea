/**
 * Text with the user and password of each URL in it replaced by `***`.
 *
 * Everything up to the last @ of the line goes: a password that was not percent-encoded may hold any character.
 * File URLs, which stacks are full of, have no password.
 */
export function redact(text: string): string {
  return text.replace(/(?<![a-z0-9+.-])(?!file:)([a-z][a-z0-9+.-]*:\/\/)[^\n]*@/gi, '$1***@');
}

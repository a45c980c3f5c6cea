/** JSON in ASCII, as PHP writes it: PHP's tables may be of MySQL's three-byte `utf8`, which takes no emoji. */
export function asciiJson(value: unknown): string {
  // Only strings hold such characters.
  return JSON.stringify(value).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

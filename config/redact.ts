/** Where another URL starts, after what may stand before one. */
const nextUrl = String.raw`[\s'"(<[=,][a-z][a-z0-9+.-]*:\/\/`;
/** What stands in drover's own examples of URLs, and nothing else behind it. */
const example = String.raw`user:password@host(?:[:/][\w:/]*)?(?:['"\s]|$)`;
const credentials = new RegExp(
  String.raw`(?<![a-z0-9+.-])(?!file:)([a-z][a-z0-9+.-]*:\/\/)(?!${example})(?:(?!${nextUrl})[^\n])*@`,
  'gi',
);

/**
 * Text with the user and password of each URL in it replaced by `***`.
 *
 * Everything up to the last @ of the line goes, or to that before the next URL: a password that was not percent-encoded
 * may hold any character. File URLs, which stacks are full of, have no password.
 */
export function redact(text: string): string {
  return text.replace(credentials, '$1***@');
}

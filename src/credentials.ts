/** How long what {@link withoutCredentials} looks for may be. */
export const longestCredentials = 600;

/**
 * Text without the user and password of URLs in it, nor the password among their parameters: messages of
 * applications and of other packages may quote them. The lengths are bounded so that no text takes long;
 * `file:///` URLs have no user and stay.
 */
export function withoutCredentials(text: string): string {
  if (!text.includes('://')) return text;
  return text
    .replace(/\b([a-z][a-z0-9+.-]{0,30}:\/\/)(?!\/)[^\s'"<>]{0,500}@/gi, '$1***@')
    .replace(/([?&](?:password|passwd|pwd|secret|token)=)[^\s'"<>&#]{1,500}/gi, '$1***');
}

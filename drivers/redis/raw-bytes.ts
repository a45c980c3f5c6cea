const prefix = 'data:application/octet-stream;base64,';

/** Bytes that are no text, as the failed-job store keeps and shows them: a data URL, which loses none. */
export function shownBytes(bytes: Buffer): string {
  return prefix + bytes.toString('base64');
}

/** The bytes that {@link shownBytes} made such a text of; undefined for any other text. */
export function bytesShownBy(text: string): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), 'base64');
  return shownBytes(bytes) === text ? bytes : undefined;
}

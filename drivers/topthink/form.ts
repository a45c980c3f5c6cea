import { randomUUID } from 'node:crypto';

/** A body, and what its `Content-Type` says of it. */
export interface Content {
  readonly type: string;
  readonly body: string;
}

/** Fields as `multipart/form-data`, in the order given, as curl writes them for PHP. */
export function asForm(fields: Readonly<Record<string, string>>): Content {
  const boundary = `------------------------${randomUUID().replaceAll('-', '')}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return { type: `multipart/form-data; boundary=${boundary}`, body: `${parts.join('')}--${boundary}--\r\n` };
}

import {
  encodePhpJson,
  nativeFormat,
  type Payload,
  type PhpValue,
  type WireFormat,
} from '../../src/index.js';

/**
 * Payloads of think-queue 1's push service: `job, data`, in ASCII; the id is the service's. What a push asks for beyond
 * that follows, and PHP pays no heed to it.
 */
export const topthinkFormat: WireFormat = {
  name: 'topthink',
  keepsIds: false,
  encode: (payload) => encodePhpJson(fieldsOf(payload)),
  decode: (body) => nativeFormat.decode(body),
};

function fieldsOf({
  job,
  data,
  maxTries,
  timeout,
  timeoutAt,
  maxExceptions,
  backoff,
  trace,
}: Payload): PhpValue {
  const fields = {
    job,
    data: data ?? null,
    ...(maxTries !== null && { maxTries }),
    ...(timeout !== null && { timeout }),
    ...(timeoutAt !== undefined && { timeoutAt }),
    ...(maxExceptions !== undefined && { maxExceptions }),
    ...(backoff !== undefined && { backoff }),
    ...trace,
  };
  return fields as PhpValue; // data was found to be plain JSON
}

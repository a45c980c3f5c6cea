import {
  encodePhpJson,
  nativeFormat,
  type Payload,
  type PhpValue,
  type WireFormat,
} from '../../src/index.js';

/**
 * think-queue 1 and 2: `job, data, id, attempts`, in ASCII. What a push asks for beyond that stands before the id,
 * where PHP keeps it and pays no heed: its own workers go by their options.
 */
export const think1Format: WireFormat = {
  name: 'think-1',
  keepsIds: false,
  encode: (payload) => encodePhpJson(fieldsOf(payload)),
  decode: (body) => nativeFormat.decode(body),
};

function fieldsOf(payload: Payload): PhpValue {
  const { job, maxTries, timeout, timeoutAt, data, backoff, maxExceptions, trace, id } = payload;
  const fields = {
    job,
    data,
    ...(maxTries !== null && { maxTries }),
    ...(timeout !== null && { timeout }),
    ...(timeoutAt !== undefined && { timeoutAt }),
    ...(backoff !== undefined && { backoff }),
    ...(maxExceptions !== undefined && { maxExceptions }),
    ...trace,
    id,
    attempts: 1,
  };
  return fields as PhpValue; // data was found to be plain JSON
}

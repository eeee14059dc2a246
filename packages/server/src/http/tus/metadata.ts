/** `Upload-Metadata` of tus 1.0: pairs of a key and a value in base64, separated by commas. */
import { UploadError } from '@cryolift/protocol/errors';

/** RFC 4648 section 4, with its padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads the header as clients send it: no header and an empty one have no pairs; a value may be empty, with or without
 * the space before it. Values are any bytes.
 *
 * @throws UploadError `invalid_request` for a value that is not base64, an empty key, and a key that occurs twice.
 */
export function parseMetadata(header: string | undefined): ReadonlyMap<string, Buffer> {
  const pairs = new Map<string, Buffer>();
  if (header === undefined || header.trim() === '') return pairs;
  for (const pair of header.split(',')) {
    const [key = '', value = '', ...rest] = pair.trim().split(' ');
    if (key === '' || rest.length > 0) {
      throw refuse('has a pair that is not a key, a space and a value');
    }
    if (!BASE64.test(value)) throw refuse(`has a value for ${JSON.stringify(key.slice(0, 64))} that is not base64`);
    const name = decodeKey(key);
    if (pairs.has(name)) throw refuse(`has the key ${JSON.stringify(key.slice(0, 64))} twice`);
    pairs.set(name, Buffer.from(value, 'base64'));
  }
  return pairs;
}

/** Keys should be ASCII. Node gives the bytes of a header as Latin-1; clients that send others send UTF-8. */
function decodeKey(key: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(key, 'latin1'));
  } catch {
    return key;
  }
}

function refuse(fault: string): UploadError {
  return new UploadError('invalid_request', `Upload-Metadata ${fault}.`, {
    hint: 'Send pairs of a key, a space and the value in base64, separated by commas (tus 1.0, Upload-Metadata).',
  });
}

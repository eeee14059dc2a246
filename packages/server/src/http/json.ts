/** JSON bodies (RFC 8259: UTF-8). An empty body is no body, also when it is announced as JSON. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

type Done = (error: Error | null, body?: unknown) => void;

export function createJsonParser(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  return (request: FastifyRequest, bytes: Buffer, done: Done): void => {
    if (bytes.length === 0) {
      done(null, null);
      return;
    }
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      done(new UploadError('invalid_request', 'The body is not UTF-8.'));
      return;
    }
    parse(request, text, done);
  };
}

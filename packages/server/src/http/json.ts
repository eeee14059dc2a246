/** JSON bodies (RFC 8259: UTF-8). An empty body counts as no body, also with a Content-Type of JSON. */
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
    parse(request, text, (error, body) => done(error && explain(text), body));
  };
}

/** @returns why Fastify's parser refused the text. */
function explain(text: string): UploadError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new UploadError('invalid_request', 'The body is not JSON.');
  }
  const key = findForbiddenKey(value);
  return new UploadError('invalid_request', `The body has the key ${JSON.stringify(key)}, which is not allowed.`, {
    details: { key },
  });
}

/** Finds a key that could change the prototype of JavaScript objects. secure-json-parse refuses them at any depth. */
function findForbiddenKey(root: unknown): '__proto__' | 'constructor' {
  const found = [root];
  for (const each of found) {
    if (typeof each !== 'object' || each === null) continue;
    if (Object.hasOwn(each, '__proto__')) return '__proto__';
    for (const inner of Object.values(each)) found.push(inner);
  }
  return 'constructor';
}

/** The form of every refusal (page 7, Errors). */
import assert from 'node:assert/strict';
import { ERRORS, type ErrorCode, type ErrorEnvelope } from '@cryolift/protocol/errors';
import type { Answer } from './wire.ts';

/**
 * Asserts that an answer is a refusal with one of these codes, and is right in every other respect, too.
 *
 * @returns its envelope.
 */
export function assertFailure(answer: Answer, ...codes: ErrorCode[]): ErrorEnvelope {
  const text = answer.body.toString();
  assert.ok(answer.status >= 400, `expected ${codes.join(' or ')}, got ${answer.status} ${text.slice(0, 500)}`);
  const envelope = JSON.parse(text) as ErrorEnvelope;
  assert.ok(
    codes.includes(envelope.code),
    `expected ${codes.join(' or ')}, got ${answer.status} ${text.slice(0, 500)}`,
  );
  assertEnvelope(envelope);
  assert.equal(answer.status, ERRORS[envelope.code].status, envelope.code);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json(; ?charset=utf-8)?$/i);
  assert.equal(answer.headers['x-request-id'], envelope.request_id);
  assert.match(answer.headers['cache-control'] ?? '', /\bno-store\b/);
  const needed = NEEDED_HEADERS[answer.status];
  if (needed) assert.match(answer.headers[needed[0]] ?? '', needed[1], `${needed[0]} of ${envelope.code}`);
  return envelope;
}

/** What a client needs beside the envelope to go on, by status (RFC 9110, RFC 6750). */
const NEEDED_HEADERS: Readonly<Record<number, readonly [name: string, value: RegExp]>> = {
  401: ['www-authenticate', /^Bearer\b/],
  405: ['allow', /^[A-Z]+(, *[A-Z]+)*$/],
  429: ['retry-after', /^[1-9]\d*$/],
  503: ['retry-after', /^[1-9]\d*$/],
};

/** Asserts the shape of an envelope, also of one inside another answer. */
export function assertEnvelope(envelope: ErrorEnvelope): void {
  const { code, message, hint, retryable, request_id, details, ...rest } = envelope;
  assert.ok(code in ERRORS, `${code} is not in the table`);
  assert.equal(retryable, ERRORS[code].retryable, `retryable of ${code}`);
  for (const text of [message, hint, request_id]) assert.ok(typeof text === 'string' && text !== '');
  assert.ok(details === undefined || (typeof details === 'object' && details !== null && !Array.isArray(details)));
  assert.deepEqual(rest, {}, 'nothing else belongs into an envelope');
}

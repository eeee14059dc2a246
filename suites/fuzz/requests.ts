/** Requests made after the document: right ones, nearly right ones, and wrong ones. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { Operation } from './document.ts';
import { nastyText, valuesOf } from './values.ts';

export interface FuzzRequest {
  readonly operation: Operation;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** What earlier answers taught: ids that are there, and who may use them. */
export interface Knowledge {
  readonly ids: readonly string[];
  readonly tokens: readonly string[];
}

/** The size of files whose only part a random body may well be. */
export const SMALL_BYTES = 3;

const HEADERS = [
  'accept',
  'content-digest',
  'content-encoding',
  'digest',
  'expect',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'last-event-id',
  'origin',
  'range',
  'repr-digest',
  'traceparent',
  'upload-offset',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
] as const;
const HEADER_VALUES = [
  'bytes=0-0',
  'bytes=-1',
  'bytes=5-2',
  'bytes=0-1,3-4',
  'bytes=99999999999999999999-',
  '*',
  '"x"',
  'W/"x"',
  '0',
  '-1',
  '1e9',
  'sha-256=:AAAA:',
  'md5=:AAAA:',
  'gzip',
  '100-continue',
  'text/html',
  'https://evil.example',
  '127.0.0.1, ::1',
  '00-0-0-0',
  '{}',
];

export function requestOf(operation: Operation, knowledge: Knowledge): fc.Arbitrary<FuzzRequest> {
  return fc
    .record({ path: pathOf(operation, knowledge), headers: headersOf(knowledge), body: bodyOf(operation) })
    .map(({ path, headers, body: { bytes, type } }) => ({
      operation,
      path,
      headers: { ...headers, ...(type === null ? {} : { 'content-type': type }), ...digestOf(headers, bytes) },
      body: bytes,
    }));
}

/** Half of the announced digests are right, so that parts are stored now and then. */
function digestOf(headers: Readonly<Record<string, string>>, bytes: Uint8Array | null): Record<string, string> {
  if (!bytes || headers['content-digest'] !== '*') return {};
  return { 'content-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:` };
}

function pathOf({ path, parameters = [] }: Operation, { ids }: Knowledge): fc.Arbitrary<string> {
  const small = fc.integer({ min: 0, max: 4 }).map(String);
  const known = ids.length === 0 ? small : fc.constantFrom(...ids);
  const piece = fc.oneof(
    { weight: 6, arbitrary: known },
    { weight: 3, arbitrary: small },
    { weight: 1, arbitrary: nastyText },
  );
  const names = path.match(/\{\w+\}/g) ?? [];
  const query = fc.record(
    Object.fromEntries(
      parameters.filter((each) => each.in === 'query').map(({ name, schema }) => [name, valuesOf(schema)]),
    ),
    { requiredKeys: [] },
  );
  const rest = fc.oneof(
    { weight: 8, arbitrary: query },
    { weight: 1, arbitrary: fc.dictionary(fc.string(), fc.string()) },
  );
  return fc.tuple(fc.tuple(...names.map(() => piece)), rest).map(([pieces, pairs]) => {
    const filled = names.reduce((left, name, at) => left.replace(name, encode(pieces[at] as string)), path);
    const asked = Object.entries(pairs).map(([name, value]) => `${encode(name)}=${encode(print(value))}`);
    return asked.length === 0 ? filled : `${filled}?${asked.join('&')}`;
  });
}

/** Not every object has a text of its own. */
function print(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Lone surrogates cannot be written in UTF-8. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function headersOf({ tokens }: Knowledge): fc.Arbitrary<Record<string, string>> {
  const value = fc.oneof(fc.constantFrom(...HEADER_VALUES), fc.string({ maxLength: 60 }));
  const extra = fc.dictionary(fc.constantFrom(...HEADERS), value, { maxKeys: 3 });
  const token = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...tokens).map((each) => `Bearer ${each}`) },
    { weight: 1, arbitrary: fc.constantFrom('', 'Bearer', 'Bearer x', 'Basic eDp5', 'Bearer a.b.c') },
  );
  return fc.tuple(extra, token).map(([headers, authorization]) => ({
    ...headers,
    ...(authorization === '' ? {} : { authorization }),
  }));
}

function bodyOf({ requestBody }: Operation): fc.Arbitrary<{ bytes: Uint8Array | null; type: string | null }> {
  const none = fc.constant({ bytes: null, type: null });
  const junk = fc.record({
    bytes: fc.uint8Array({ maxLength: 300 }),
    type: fc.constantFrom('application/json', 'text/plain', 'multipart/form-data', 'application/octet-stream', null),
  });
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined || !media) return fc.oneof({ weight: 9, arbitrary: none }, { weight: 1, arbitrary: junk });
  const right =
    type === 'application/json'
      ? valuesOf(media.schema).map((value) => ({ bytes: new TextEncoder().encode(JSON.stringify(value)), type }))
      : fc
          .oneof(fc.uint8Array({ minLength: SMALL_BYTES, maxLength: SMALL_BYTES }), fc.uint8Array({ maxLength: 4000 }))
          .map((bytes) => ({ bytes, type }));
  return fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: junk }, { weight: 1, arbitrary: none });
}

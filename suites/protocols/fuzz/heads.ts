/** Heads with any values in the fields of the protocols: no 5xx, and each request has an answer. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ProtocolClient } from './protocol-client.ts';

const METHODS = ['POST', 'POST', 'PATCH', 'PATCH', 'HEAD', 'GET', 'PUT', 'DELETE', 'OPTIONS'];
const FIELDS = [
  'tus-resumable',
  'upload-length',
  'upload-offset',
  'upload-defer-length',
  'upload-metadata',
  'upload-concat',
  'upload-checksum',
  'upload-complete',
  'upload-incomplete',
  'upload-draft-interop-version',
  'upload-parallel',
  'repr-digest',
  'content-digest',
  'want-repr-digest',
  'content-disposition',
  'content-type',
  'x-http-method-override',
];
const VALUES = [
  '0',
  '1',
  '10',
  '-1',
  '00',
  '1.0.0',
  '?0',
  '?1',
  '?2',
  '9007199254740993',
  '18446744073709551616',
  'partial',
  'final;',
  'final;/tus/x /tus/y',
  'final;http://[::1',
  'filename',
  'filename ',
  'filename AAAA',
  ',',
  'sha1 AAAA',
  'sha-256=:AAAA:',
  'sha-256=10, unixsum=3',
  'inline; filename="../../etc/passwd"',
  "attachment; filename*=UTF-8''%ff%00.mrc",
  'application/offset+octet-stream',
  'application/partial-upload',
  'PATCH',
  'DELETE',
  'HEAD',
  'TRACE',
  '"',
  '()',
  '(0 10), (5 20)',
];

const text = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const request = fc.record({
  method: fc.constantFrom(...METHODS),
  /** Of the endpoint, of an upload that there is, or of none. */
  place: fc.constantFrom('endpoint', 'upload', 'upload', 'missing', 'below'),
  headers: fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(fc.constantFrom(...VALUES), text), { maxKeys: 7 }),
  body: fc.uint8Array({ maxLength: 50 }),
});

/** @throws Error with the request that shows what is wrong. */
export async function fuzzHeads(client: ProtocolClient, runs: number, seed: number): Promise<void> {
  let url = await client.create(10);
  const property = fc.asyncProperty(request, async ({ method, place, headers, body }) => {
    const base = client.url.replace(/\/$/, '');
    const target = { endpoint: base, upload: url, missing: url.replace(/.$/, '!'), below: `${base}/a/b` }[place];
    const hasBody = ['POST', 'PATCH', 'PUT'].includes(method);
    const { status, body: answered } = await client.send(method, target, headers, hasBody ? body : undefined);
    assert.ok(status < 500, `it was answered ${status} ${answered}`);
    if (place !== 'upload') return;
    const { status: still, headers: state } = await client.head(url);
    assert.ok(still < 500, `HEAD was then answered ${still}`);
    const offset = Number(state['upload-offset'] ?? 0);
    assert.ok(offset >= 0 && offset <= Number(state['upload-length'] ?? 10), `the offset is ${offset}`);
    if (still !== 200 && still !== 204) url = await client.create(10);
  });
  await fc.assert(property, { numRuns: runs, seed });
}

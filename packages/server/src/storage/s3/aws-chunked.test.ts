import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AwsChunked } from './aws-chunked.ts';

/** As a service reads it. */
function decode(encoded: Buffer): { body: Buffer; trailer: string } {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = encoded.indexOf('\r\n', at);
    const length = Number.parseInt(encoded.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2;
    if (length === 0) return { body: Buffer.concat(chunks), trailer: encoded.toString('latin1', at) };
    chunks.push(encoded.subarray(at, at + length));
    assert.equal(encoded.toString('latin1', at + length, at + length + 2), '\r\n');
    at += length + 2;
  }
}

test('aws-chunked: a body in pieces of any size is read as it was, in as many bytes as were announced', () => {
  const bodies = fc.record({
    bytes: fc.constantFrom(0, 1, 262_143, 262_144, 262_145, 700_000),
    piece: fc.integer({ min: 1, max: 400_000 }),
  });
  fc.assert(
    fc.property(bodies, ({ bytes, piece }) => {
      const body = Buffer.alloc(bytes, 'cryolift');
      const encoding = new AwsChunked(bytes);
      const encoded: Buffer[] = [];
      for (let at = 0; at < bytes; at += Math.max(piece, bytes / 50)) {
        const from = Math.floor(at);
        encoded.push(...encoding.encode(body.subarray(from, Math.floor(at + Math.max(piece, bytes / 50)))));
      }
      const checksum = Buffer.alloc(32, 7).toString('base64');
      const all = Buffer.concat([...encoded, encoding.end(checksum)]);
      assert.equal(all.length, encoding.encodedBytes);
      const read = decode(all);
      assert.ok(read.body.equals(body));
      assert.equal(read.trailer, `x-amz-checksum-sha256:${checksum}\r\n\r\n`);
    }),
  );
});

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { draftFile } from '../db/test-rows.ts';
import { FileDigest } from './file-digest.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function partsDigest(bytes: Buffer, partBytes: number): Buffer {
  const digests = [];
  for (let at = 0; at < bytes.length; at += partBytes) digests.push(sha256(bytes.subarray(at, at + partBytes)));
  return sha256(Buffer.concat(digests));
}

function digestIn(bytes: Buffer, chunkBytes: number, known: { sha256: Uint8Array | null; parts_sha256: Uint8Array }) {
  const digest = new FileDigest({ ...draftFile('f', bytes.length), part_size: 100, ...known });
  for (let at = 0; at < bytes.length; at += chunkBytes) digest.update(bytes.subarray(at, at + chunkBytes));
  return digest.finish();
}

test('relocation: the digest of a file is compared with its own, or with that of its parts where there is none', () => {
  for (const sizeBytes of [0, 1, 99, 100, 101, 950, 1000]) {
    const bytes = randomBytes(sizeBytes);
    const whole = sha256(bytes);
    const parts_sha256 = partsDigest(bytes, 100);
    for (const chunkBytes of [1, 7, 100, 333, 5000]) {
      assert.deepEqual(digestIn(bytes, chunkBytes, { sha256: whole, parts_sha256 }), whole);
      assert.deepEqual(digestIn(bytes, chunkBytes, { sha256: null, parts_sha256 }), whole);
    }
    if (sizeBytes === 0) continue;
    const wrong = Buffer.from(bytes);
    wrong[sizeBytes - 1] = (wrong[sizeBytes - 1] as number) ^ 1;
    assert.equal(digestIn(wrong, 64, { sha256: whole, parts_sha256 }), null);
    assert.equal(digestIn(wrong, 64, { sha256: null, parts_sha256 }), null);
  }
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SourceError } from '../../failures.ts';
import { FileDigest } from './file-digest.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function recordOf(bytes: Uint8Array, part_size: number) {
  const parts = createHash('sha256');
  for (let at = 0; at < bytes.length; at += part_size) parts.update(sha256(bytes.subarray(at, at + part_size)));
  return { sha256: sha256(bytes).toString('hex'), parts_sha256: parts.digest('hex'), part_size };
}

test('file digest: the whole is compared, or the parts where the record has no digest of the whole', () => {
  const bytes = Buffer.from('a file of which the parts have seven bytes');
  const flipped = Buffer.from(bytes);
  flipped[20] = 0;
  for (const partBytes of [1, 7, bytes.length, 100]) {
    const whole = recordOf(bytes, partBytes);
    for (const record of [whole, { ...whole, sha256: null }]) {
      for (const piece of [1, 5, 7, 100]) {
        const [right, wrong] = [new FileDigest(record), new FileDigest(record)];
        for (let at = 0; at < bytes.length; at += piece) {
          right.update(bytes.subarray(at, at + piece));
          wrong.update(flipped.subarray(at, at + piece));
        }
        right.assertWhole();
        assert.throws(() => wrong.assertWhole(), SourceError);
      }
    }
  }
  new FileDigest({ ...recordOf(new Uint8Array(), 5), sha256: null }).assertWhole();
});

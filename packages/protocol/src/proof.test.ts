import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { computeProof } from './proof.ts';

test('proof: depends on secret, challenge and port, and is HMAC-SHA-256 with an HKDF key', async () => {
  const challenge = 'ab'.repeat(32);
  const proof = await computeProof('secret', challenge, 8080);
  const others = [
    await computeProof('Secret', challenge, 8080),
    await computeProof('secret', 'ba'.repeat(32), 8080),
    await computeProof('secret', challenge, 8081),
  ];
  assert.equal(new Set([proof, ...others]).size, 4);
  const key = Buffer.from(hkdfSync('sha256', 'secret', '', 'cryolift server proof 1', 32));
  assert.equal(proof, createHmac('sha256', key).update(`8080 ${challenge}`).digest('hex'));
});
